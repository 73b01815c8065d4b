//! The head of a claim → who the patient is, the insurances, the visits, and the one amount.

use messages::{Message as Text, Severity};
use omop::{CostRow, DeathRow, ObservationRow, VisitEventRow, type_concept};
use terms::{Insured, Sex};

use super::forms::Form;
use crate::Home;
use crate::columns::{Row, Splitter};
use crate::days::{Month, day};
use crate::numbers::decimal_at;
use crate::rows::{At, Book, Cover, Who, name_parts};
use crate::seen::key;
use crate::written::{Scribe, narrow};

/// What the header of a file says.
#[derive(Clone)]
pub struct Header {
    /// 医科, 歯科, 調剤; DPC is told by the claim.
    pub form: Form,
    /// Ten digits: prefecture, 点数表, institution.
    pub institution: String,
    /// 請求年月.
    pub billed: Option<Month>,
}

/// A surgery that SK names: only a row when no line of the claim states the same act.
pub struct Surgery {
    pub code: String,
    pub day: i32,
}

/// What of a pharmacy group waits for its end.
#[derive(Default)]
pub struct Group {
    pub form: String,
    pub usage: String,
    /// Day of dispensing, and how many days or times.
    pub dispensed: Vec<(i32, i64)>,
    /// Drug and amount a unit.
    pub drugs: Vec<(String, Option<f64>)>,
}

/// The claim being read.
pub struct Claim {
    pub form: Form,
    pub institution: String,
    /// RE, HO, KO, SN, JD as they came, until the first line that is none of them.
    heads: Vec<(u64, Vec<u8>)>,
    pub opened: bool,
    /// Why it makes no rows.
    pub skip: Option<&'static str>,
    pub local_id: String,
    /// Number of the chart as it is written.
    pub chart: String,
    /// Code of what makes it doubtful whose it is, though it has a local id. Its sender does not send it then.
    pub doubt: Option<&'static str>,
    pub patient: i64,
    pub key: String,
    pub ts: i64,
    pub month: Month,
    /// Days that JD counts, days that lines name: bit n is day n + 1.
    pub counted: u32,
    pub named: u32,
    /// Last day of a line that has a date of its own.
    pub last_line: Option<i32>,
    /// Line of the RE that it begins with.
    pub line: u64,
    inpatient: bool,
    pub admission: Option<i32>,
    pub first_visit: Option<i32>,
    pub discharge: Option<i32>,
    pub section: [u8; 2],
    points: Option<f64>,
    has_public: bool,
    pub points_of_lines: f64,
    dpc: Option<String>,
    pub surgeries: Vec<Surgery>,
    /// Acts with a day that lines state, for SK.
    pub stated: Vec<(String, i32)>,
    pub group: Group,
    died: Option<&'static str>,
}

fn micros(day: i32) -> i64 {
    i64::from(day) * 86_400_000_000
}

impl Claim {
    /// A claim that begins with this RE.
    pub fn new(header: &Header, line: u64, bytes: &[u8]) -> Self {
        Self {
            form: header.form,
            institution: header.institution.clone(),
            line,
            heads: vec![(line, bytes.to_vec())],
            opened: false,
            skip: None,
            local_id: String::new(),
            chart: String::new(),
            doubt: None,
            patient: 0,
            key: String::new(),
            ts: header.billed.map_or(0, |m| micros(m.first())),
            month: header.billed.unwrap_or(Month { year: 1970, month: 1 }),
            counted: 0,
            named: 0,
            last_line: None,
            inpatient: false,
            admission: None,
            first_visit: None,
            discharge: None,
            section: *b"  ",
            points: None,
            has_public: false,
            points_of_lines: 0.0,
            dpc: None,
            surgeries: Vec::new(),
            stated: Vec::new(),
            group: Group::default(),
            died: None,
        }
    }

    /// A claim of which only the head is the same: to ask which one it is.
    pub fn copy_of_head(claim: &Claim) -> Self {
        let header = Header { form: claim.form, institution: claim.institution.clone(), billed: None };
        Self { heads: claim.heads.clone(), ..Claim::new(&header, 0, b"") }
    }

    /// Keeps a line of the head.
    pub fn head(&mut self, line: u64, bytes: &[u8]) {
        self.heads.push((line, bytes.to_vec()));
    }

    /// How late a claim tells of a diagnosis: by its month of care, and of one month by when it was billed.
    pub fn told(&self) -> i64 {
        micros(self.month.first()) + self.ts.max(0) / 86_400_000_000
    }

    pub fn at(&self) -> At<'_> {
        At { patient: self.patient, key: &self.key, ts: self.ts }
    }

    /// Whether it is of a stay. Known once it is opened.
    pub fn is_inpatient(&self) -> bool {
        self.inpatient
    }

    /// Points as HO (without insurance: the first KO) has them.
    pub fn points(&self) -> Option<f64> {
        self.points
    }

    /// Works out the head. `home` knows whose charts stand bare; `rows` whether rows
    /// are wanted. Gives the key under which claims replace each other.
    pub fn open(&mut self, dpc: bool, home: &Home, scribe: &mut Scribe, book: &mut Book, rows: bool) -> u128 {
        self.opened = true;
        if dpc && self.form == Form::Medical {
            self.form = Form::Dpc;
        }
        let heads = std::mem::take(&mut self.heads);
        let mut splitters: Vec<Splitter> = heads.iter().map(|_| Splitter::default()).collect();
        let lines: Vec<(u64, Row<'_>)> =
            heads.iter().zip(&mut splitters).map(|((n, bytes), s)| (*n, s.split(bytes, b','))).collect();
        let of = |record: &'static [u8]| lines.iter().filter(move |(_, row)| row.get(1) == record);
        let Some((line, re)) = lines.first().copied() else {
            return 0;
        };
        let layout = self.form.layout();
        let at = ("RE", line);
        match Month::of(re.code(4, scribe).as_bytes()) {
            Some(month) => self.month = month,
            // Rows dated in another month would be worse than none.
            None => {
                if self.skip.is_none() {
                    self.skip = Some("no-month");
                }
                if rows {
                    book.say_line(Severity::Error, Text::new("receipt-month"), at, 4);
                }
                return 0;
            }
        }
        let kind = re.code(3, scribe).into_owned();
        let digit = kind.as_bytes().get(3).copied().unwrap_or(b'2');
        self.inpatient = dpc || (self.form != Form::Pharmacy && digit.is_ascii_digit() && (digit - b'0') % 2 == 1);
        let mut date = |n: usize, book: &mut Book| {
            let text = re.code(n, scribe);
            if text.is_empty() {
                return None;
            }
            let found = day(text.as_bytes());
            match found {
                None => book.say_line(Severity::Warning, Text::new("formats-date"), at, n),
                Some(d) if d.out_of_era => book.say_line(Severity::Warning, Text::new("formats-out-of-era"), at, n),
                Some(_) => {}
            }
            found.map(|d| d.day)
        };
        let birth = date(7, book);
        let birth_unread = birth.is_none() && !re.get(7).is_empty();
        self.admission = if self.inpatient { date(layout.admission, book) } else { None };
        self.first_visit = date(layout.first_visit, book);
        let insurance = of(b"HO").next().map(|(_, row)| *row);
        let eligible = of(b"SN").map(|(_, row)| *row).find(|row| row.get(2) == b"1").or(of(b"SN").next().map(|(_, row)| *row));
        let first_public = of(b"KO").next().map(|(_, row)| *row);
        let first_line = |record: &'static [u8]| of(record).next().map_or(line, |(n, _)| *n);
        let (of_insurance, of_public) = (("HO", first_line(b"HO")), ("KO", first_line(b"KO")));
        let mut points = |row: Option<Row<'_>>, at| row.and_then(|r| decimal_at(r, 6, at, scribe, book).some());
        self.points = points(insurance, of_insurance).or_else(|| points(first_public, of_public));
        let mut text = |row: Option<Row<'_>>, n: usize| row.map(|r| scribe.text(r.get(n)).into_owned()).unwrap_or_default();
        let insurer = text(insurance, 2);
        let symbol = text(insurance, 3);
        let number = text(insurance, 4);
        let branch = text(eligible, 7);
        let name = text(Some(re), 5);
        let kana = text(Some(re), layout.kana);
        let chart = text(Some(re), layout.chart);
        let chart = chart.trim_matches([' ', '\u{3000}']);
        self.has_public = first_public.is_some();
        let sex = match &*narrow(&text(Some(re), 6)) {
            "1" => (Sex::Male, "1"),
            "2" => (Sex::Female, "2"),
            _ => {
                if rows && !re.get(6).is_empty() {
                    book.say_line(Severity::Warning, Text::new("formats-sex"), at, 6);
                }
                (Sex::Unknown, "")
            }
        };
        // A field too many, or words where a date belongs: the chart may stand elsewhere.
        self.doubt = match () {
            () if re.len() > layout.re.0 => Some("formats-columns"),
            () if birth_unread => Some("formats-date"),
            () if sex.1.is_empty() && !re.get(6).is_empty() => Some("formats-sex"),
            () => None,
        };
        // Charts are numbers of one institution; claims without one are known by the insured person, and so are all that an insurer has.
        let chart = if home.is_insurer() { "" } else { chart };
        chart.clone_into(&mut self.chart);
        self.local_id = match chart {
            "" => {
                let payer = first_public.filter(|_| insurance.is_none());
                let (payer, recipient) = (text(payer, 2), text(payer, 3));
                let kana = if kana.is_empty() { &name } else { &kana };
                let insured = match insurance {
                    Some(_) => Insured { insurer: &insurer, symbol: &symbol, number: &number, ..Insured::default() },
                    None => Insured { insurer: &payer, number: &recipient, ..Insured::default() },
                };
                let insured = Insured { branch: &branch, birth, sex: sex.1, kana, ..insured };
                self.doubt = self.doubt.or((!insured.is_listable()).then_some("formats-card-incomplete"));
                insured.local_id().unwrap_or_default()
            }
            chart => home.local_id(&self.institution, chart),
        };
        // Claims replace each other whatever stands bare: the chart itself, beside the institution; the local id where that is always the same.
        let person = if chart.is_empty() || home.is_settled() { self.local_id.as_str() } else { chart };
        for (_, jd) in of(b"JD") {
            for n in 0..31 {
                if matches!(jd.get(3 + n), b"1" | b"2") {
                    self.counted |= 1 << n;
                }
            }
        }
        let admission = self.admission.unwrap_or(i32::MIN).to_le_bytes();
        // A pharmacy makes a claim for each institution that prescribed; without an insurance each payer has one.
        let prescriber = if self.form == Form::Pharmacy { [10, 11, 12].map(|n| re.get(n)).join(&b'|') } else { Vec::new() };
        let payer = text(first_public.filter(|_| insurance.is_none()), 2);
        let version = key(&[
            b"claim",
            self.form.name().as_bytes(),
            self.institution.as_bytes(),
            person.as_bytes(),
            &self.month.number().to_le_bytes(),
            kind.as_bytes(),
            &admission,
            insurer.trim().as_bytes(),
            payer.trim().as_bytes(),
            &prescriber,
        ]);
        if rows && self.local_id.is_empty() {
            book.say_line(Severity::Error, Text::new("formats-no-patient"), at, 0);
        }
        if self.local_id.is_empty() {
            return version;
        }
        self.key =
            format!("claim|{}|{}|{}|{kind}|{:08x}", self.form.name(), self.institution, self.month.number(), version as u32);
        if !rows {
            return version;
        }
        if re.len() < layout.re.1 {
            book.say_line(Severity::Warning, columns_message(re.len(), layout.re.0), at, 0);
        }
        let outcome = of(b"SN").any(|(_, row)| row.get(3) == b"08");
        if outcome {
            self.died = Some("SN 08");
        }
        self.patient = book.patient(&self.local_id);
        let unit = At { patient: self.patient, key: &self.key, ts: self.ts };
        let (kanji, kana) = (name_parts(&name), name_parts(&kana));
        // A name in katakana alone is a phonetic one, whatever field it stands in.
        let phonetic = !name.is_empty()
            && name.chars().all(|c| matches!(c, '\u{30A1}'..='\u{30FF}' | '\u{FF65}'..='\u{FF9F}' | ' ' | '\u{3000}'));
        let who = Who {
            local_id: &self.local_id,
            kanji: if phonetic { (None, None) } else { kanji },
            kana: if phonetic && kana.0.is_none() { kanji } else { kana },
            birth,
            sex: Some(sex),
            ..Who::default()
        };
        book.who(&unit, &who);
        let cover = Cover {
            plan_kind: "insurance",
            set_id: Some("1"),
            insurer: &insurer,
            symbol: &symbol,
            number: &number,
            branch: &branch,
            ..Cover::default()
        };
        let month = (self.month.first(), self.month.last());
        if insurance.is_some() {
            book.cover(&unit, &self.local_id, &cover);
            book.plan(&unit, &insurer, month, birth, Some(&kind));
        }
        for (n, (_, ko)) in of(b"KO").enumerate() {
            let (payer, recipient) = (text(Some(*ko), 2), text(Some(*ko), 3));
            let set = (n + 2).to_string();
            let cover =
                Cover { plan_kind: "public", set_id: Some(&set), insurer: &payer, number: &recipient, ..Cover::default() };
            book.cover(&unit, &self.local_id, &cover);
            book.plan(&unit, &payer, month, birth, Some(&kind));
        }
        book.say_met(scribe.take(), at);
        version
    }

    /// BU: the DPC code and when the stay ended.
    pub fn bundle(&mut self, row: Row<'_>, line: u64, book: &mut Book) {
        let at = ("BU", line);
        let code = String::from_utf8_lossy(row.get(2)).into_owned();
        let mut date = |n: usize| {
            let text = row.get(n);
            let found = day(text);
            if found.is_none() && !text.is_empty() {
                book.say_line(Severity::Warning, Text::new("formats-date"), at, n);
            }
            found.map(|d| d.day)
        };
        let (admission, discharge) = (date(3), date(4));
        self.admission = self.admission.or(admission);
        self.discharge = discharge;
        let day = discharge.unwrap_or(self.month.last());
        if !code.is_empty() {
            let unit = At { patient: self.patient, key: &self.key, ts: self.ts };
            book.observation(&unit, coded("DPC", &code, day, type_concept::CLAIM));
            self.dpc = Some(code);
        }
        let outcome = String::from_utf8_lossy(row.get(5)).into_owned();
        if !outcome.is_empty() {
            let unit = At { patient: self.patient, key: &self.key, ts: self.ts };
            book.observation(&unit, coded("BU-5", &outcome, day, type_concept::CLAIM));
        }
        if matches!(outcome.as_str(), "6" | "7") && discharge.is_some() {
            self.died = Some("BU");
        }
    }

    /// Outcome 3 of a diagnosis.
    pub fn died_of(&mut self) {
        if self.died != Some("BU") {
            self.died = Some("outcome");
        }
    }

    /// Last day that the claim counts.
    pub fn last_day(&self) -> Option<i32> {
        let mask = if self.counted != 0 { self.counted } else { self.named };
        let in_month = if mask == 0 { None } else { self.month.nth(32 - mask.leading_zeros()) };
        self.discharge.or(in_month.max(self.last_line))
    }

    /// First day that the claim counts.
    pub fn first_day(&self) -> Option<i32> {
        let mask = if self.counted != 0 { self.counted } else { self.named };
        if mask == 0 { None } else { self.month.nth(mask.trailing_zeros() + 1) }
    }

    /// Class of the visits that the claim tells of.
    fn class(&self) -> &'static str {
        match (self.inpatient, self.form) {
            (true, _) => "I",
            (false, Form::Pharmacy) => "P",
            (false, _) => "O",
        }
    }

    /// Visits, the amount, a death: what is only known at the end.
    pub fn close(&mut self, book: &mut Book) {
        let line = self.line;
        let at = At { patient: self.patient, key: &self.key, ts: self.ts };
        let event = |event: &'static str, day: i32, class: &'static str| VisitEventRow {
            event,
            event_date: day,
            patient_class: Some(class),
            origin: Some("claim"),
            ..Default::default()
        };
        let mut start = None;
        if self.inpatient {
            match self.admission {
                Some(admission) => {
                    start = Some(admission);
                    let admitted_at = Some(micros(admission));
                    let last_day = Some(self.last_day().unwrap_or(self.month.last()).max(admission));
                    book.visit_event(&at, &VisitEventRow { admitted_at, last_day, ..event("admission", admission, "I") });
                    if let Some(discharge) = self.discharge.filter(|d| *d >= admission) {
                        let died = Some(self.died == Some("BU"));
                        book.visit_event(&at, &VisitEventRow { admitted_at, died, ..event("discharge", discharge, "I") });
                    }
                }
                None => book.say_line(Severity::Warning, Text::new("receipt-admission"), ("RE", line), 9),
            }
        } else {
            let mask = if self.counted != 0 { self.counted } else { self.named };
            let class = self.class();
            for n in 0..31 {
                if mask & (1 << n) != 0
                    && let Some(day) = self.month.nth(n + 1)
                {
                    start = start.or(Some(day));
                    book.visit_event(&at, &event("reception", day, class));
                }
            }
        }
        if let Some(points) = self.points {
            book.cost(
                &at,
                CostRow {
                    cost_domain_id: "Visit",
                    cost_type_concept_id: type_concept::CLAIM,
                    total_charge: Some(points * 10.0),
                    drg_source_value: self.dpc.as_deref(),
                    visit_start: start,
                    visit_class: Some(self.class()),
                    points: Some(points),
                    ..Default::default()
                },
            );
            let lines = self.points_of_lines;
            let comparable = matches!(self.form, Form::Medical | Form::Dental) && !self.has_public && lines > 0.0;
            if comparable && (lines - points).abs() > 0.5 {
                let message = Text::new("receipt-points").with("expected", points).with("found", lines);
                book.say_line(Severity::Warning, message, ("HO", line), 6);
            }
        }
        if let Some(why) = self.died {
            let day = match why {
                "BU" => self.discharge,
                _ => self.last_day(),
            };
            if day.is_none() || why == "SN 08" {
                book.say_line(Severity::Warning, Text::new("receipt-death-day"), ("SN", line), 3);
            }
            let death_type_concept_id = Some(type_concept::CLAIM);
            let day = day.unwrap_or(self.month.last());
            book.death(&at, &DeathRow { death_date: day, death_type_concept_id, ..Default::default() });
        }
    }
}

/// An observation of a code under a name.
pub fn coded<'a>(source: &'a str, value: &'a str, day: i32, kind: i32) -> ObservationRow<'a> {
    ObservationRow {
        observation_date: day,
        observation_type_concept_id: kind,
        observation_source_value: Some(source),
        observation_source_concept_id: Some(0),
        value_as_string: Some(value),
        value_source_value: Some(value),
        ..Default::default()
    }
}

/// The finding about a line of another length.
pub fn columns_message(found: usize, expected: usize) -> Text {
    Text::new("formats-columns").with("found", found).with("expected", expected)
}

#[cfg(test)]
mod tests {
    use super::{Claim, Header};
    use crate::receipt::forms::Form;

    #[test]
    fn a_claim_of_an_earlier_month_tells_less_late_however_late_it_was_billed() {
        let told = |care: u32, billed: u32| {
            let month = |month: u32| super::Month::of(format!("2024{month:02}").as_bytes()).expect("a month");
            let header = Header { form: Form::Medical, institution: "1319999991".into(), billed: Some(month(billed)) };
            Claim { month: month(care), ..Claim::new(&header, 1, b"") }.told()
        };
        let order = [told(4, 5), told(4, 9), told(7, 8), told(7, 10), told(8, 9)];
        assert!(order.is_sorted() && order.windows(2).all(|pair| pair[0] < pair[1]), "{order:?}");
    }
}
