//! Who people are, as sources state it, and what is told once of each: identity, insurance, institutions, free text.

use super::*;

/// Who a person is, as a source states it.
#[derive(Default, Clone)]
pub struct Who<'a> {
    /// The id as the provider writes it.
    pub local_id: &'a str,
    /// Ideographic family and given name.
    pub kanji: (Option<&'a str>, Option<&'a str>),
    /// Phonetic.
    pub kana: (Option<&'a str>, Option<&'a str>),
    /// Alphabetic.
    pub latin: Option<&'a str>,
    /// Birth date.
    pub birth: Option<i32>,
    /// Year and month where the day is not known.
    pub birth_parts: Option<(i32, Option<i32>)>,
    /// Sex, and how the source writes it.
    pub sex: Option<(Sex, &'a str)>,
    /// Postal code as written.
    pub postal: Option<&'a str>,
    /// Address as written.
    pub address: Option<&'a str>,
    /// Telephone.
    pub phone: Option<&'a str>,
}

/// An insurance as a source states it.
#[derive(Default, Clone, Copy)]
pub struct Cover<'a> {
    /// `insurance`, `public`.
    pub plan_kind: &'a str,
    /// Place among several: 1 insurance, 2 to 5 public.
    pub set_id: Option<&'a str>,
    /// Insurer or public payer.
    pub insurer: &'a str,
    /// 記号.
    pub symbol: &'a str,
    /// 番号, or the recipient's number of a public payer.
    pub number: &'a str,
    /// 枝番.
    pub branch: &'a str,
    /// Whether the insured or a dependant.
    pub relation: Option<&'a str>,
    /// First and last day of validity, where stated.
    pub valid: (Option<i32>, Option<i32>),
}

fn stated(text: &str) -> Option<&str> {
    let text = text.trim_matches([' ', '\u{3000}']);
    (!text.is_empty()).then_some(text)
}

impl Book {
    /// Identity and person, each told once: again only when a source says something else.
    pub fn who(&mut self, at: &At<'_>, who: &Who<'_>) {
        let birth = who.birth.map(i32::to_le_bytes);
        let sex = who.sex.map_or("", |s| s.0.as_str());
        let text = |t: Option<&'_ str>| t.unwrap_or("").as_bytes().to_vec();
        let facts: [Vec<u8>; 8] =
            [who.kanji.0, who.kanji.1, who.kana.0, who.kana.1, who.latin, who.postal, who.address, who.phone].map(text);
        let mut parts: Vec<&[u8]> = vec![b"identity", who.local_id.as_bytes(), sex.as_bytes()];
        parts.push(birth.as_ref().map_or(&[], |b| b.as_slice()));
        parts.extend(facts.iter().map(Vec::as_slice));
        let content = key(&parts);
        if !self.seen.first(content) {
            return;
        }
        let own = self.fact(at, || format!("identity|{content:032x}"));
        let as_person = self.fact(at, || format!("person|{}", at.key.split('|').next().unwrap_or("")));
        let of_person = At { key: &as_person, ..*at };
        let head = self.head(&At { key: &own, ..*at });
        self.columns.identity.push(
            &head,
            &IdentityRow {
                local_patient_id: who.local_id,
                family_name: who.kanji.0,
                given_name: who.kanji.1,
                family_kana: who.kana.0,
                given_kana: who.kana.1,
                latin_name: who.latin,
                birth_date: who.birth,
                sex: who.sex.map(|s| s.0.as_str()),
                postal_code: who.postal,
                address: who.address,
                phone: who.phone,
                work_phone: None,
            },
        );
        self.waiting += 1;
        let (year, month, date) = match (who.birth, who.birth_parts) {
            (Some(day), _) => {
                let (y, m, d) = civil_from_days(day);
                (y, Some(m as i32), Some(d as i32))
            }
            (None, Some((year, month))) => (year, month, None),
            (None, None) => return,
        };
        if !self.first(&[b"person", who.local_id.as_bytes()]) {
            return;
        }
        let area: String =
            who.postal.map(|p| narrow(p).chars().filter(char::is_ascii_digit).take(3).collect()).unwrap_or_default();
        let prefecture = who.address.and_then(crate::places::prefecture);
        let mut location_id = None;
        if area.len() == 3 || prefecture.is_some() {
            let area = if area.len() == 3 { area.as_str() } else { "" };
            let source = format!("{area}|{}", prefecture.unwrap_or(""));
            let id = crate::places::id_of("location", &source);
            location_id = Some(id);
            self.location(
                &of_person,
                &LocationRow {
                    location_id: id,
                    state: prefecture,
                    zip: (!area.is_empty()).then_some(area),
                    location_source_value: Some(&source),
                    ..Default::default()
                },
            );
        }
        self.person(
            &of_person,
            &PersonRow {
                gender_concept_id: gender_concept(who.sex.map_or(Sex::Unknown, |s| s.0)),
                year_of_birth: year,
                month_of_birth: month,
                day_of_birth: date,
                birth_datetime: who.birth.map(|d| i64::from(d) * 86_400_000_000),
                location_id,
                gender_source_value: who.sex.map(|s| s.1),
                gender_source_concept_id: Some(0),
                ..Default::default()
            },
        );
    }

    /// An insurance, told once a patient: insurer, symbol, number and branch are identity class. Widths are made one, so
    /// that `江０１` and `江01` are one symbol; what was written stays beside it.
    pub fn cover(&mut self, at: &At<'_>, local_id: &str, cover: &Cover<'_>) {
        let [insurer, symbol, number, branch] =
            [cover.insurer, cover.symbol, cover.number, cover.branch].map(|t| narrow(t.trim()));
        let [insurer, symbol, number, branch] = [&insurer, &symbol, &number, &branch].map(|t| stated(t));
        if insurer.is_none() && symbol.is_none() && number.is_none() {
            return;
        }
        let bytes = |t: Option<&'_ str>| t.unwrap_or("").to_owned();
        let day = |d: Option<i32>| d.unwrap_or(i32::MIN).to_le_bytes();
        let facts = [bytes(insurer), bytes(symbol), bytes(number), bytes(branch)];
        let (from, to) = (day(cover.valid.0), day(cover.valid.1));
        let parts: [&[u8]; 9] = [
            b"insurance",
            local_id.as_bytes(),
            cover.plan_kind.as_bytes(),
            facts[0].as_bytes(),
            facts[1].as_bytes(),
            facts[2].as_bytes(),
            facts[3].as_bytes(),
            &from,
            &to,
        ];
        let content = key(&parts);
        if !self.seen.first(content) {
            return;
        }
        let own = self.fact(at, || format!("insurance|{content:032x}"));
        let head = self.head(&At { key: &own, ..*at });
        let written = [cover.symbol, cover.number, cover.branch].map(|t| stated(t).unwrap_or("")).join("|");
        let same = written == [symbol, number, branch].map(|t| t.unwrap_or("")).join("|");
        self.columns.insurance.push(
            &head,
            &InsuranceRow {
                set_id: cover.set_id,
                plan_code: None,
                plan_kind: Some(cover.plan_kind),
                insurer_number: insurer,
                insured_symbol: symbol,
                insured_number: number,
                insured_branch: branch,
                valid_from: cover.valid.0,
                valid_to: cover.valid.1,
                relation: cover.relation,
                as_written: (!same).then_some(written.as_str()),
            },
        );
        self.waiting += 1;
    }

    /// A time under one class of insurer (法別番号: the first two digits of eight; six digits are 国保). The number itself
    /// is identity class and not here. Sources that count by months begin it with the month: it begins with the birth that the same
    /// source states where that is later, and there is none where all of it is before the birth.
    pub fn plan(&mut self, at: &At<'_>, insurer: &str, (start, end): (i32, i32), birth: Option<i32>, payer: Option<&str>) {
        if birth.is_some_and(|birth| birth > end.max(start)) {
            self.none("plan-before-birth");
            return;
        }
        let start = birth.map_or(start, |birth| birth.max(start));
        let insurer = insurer.trim();
        let class = match insurer.len() {
            8 => insurer.get(..2).unwrap_or(""),
            6 => "国保",
            _ => "",
        };
        self.payer_plan(
            at,
            PayerPlanPeriodRow {
                payer_plan_period_start_date: start,
                payer_plan_period_end_date: end.max(start),
                plan_source_value: (!class.is_empty()).then_some(class),
                plan_source_concept_id: Some(0),
                payer_source_value: payer,
                ..Default::default()
            },
        );
    }

    /// An institution, told once a patient.
    pub fn care_site(&mut self, at: &At<'_>, local_id: &str, code: &str) -> i64 {
        let id = crate::places::id_of("care_site", code);
        if self.first(&[b"care_site", local_id.as_bytes(), code.as_bytes()]) {
            let own = self.fact(at, || format!("care_site|{code}"));
            let head = self.head(&At { key: &own, ..*at });
            self.columns
                .care_site
                .push(&head, &CareSiteRow { care_site_id: id, care_site_source_value: Some(code), ..Default::default() });
            self.waiting += 1;
        }
        id
    }

    /// Free text under a title.
    pub fn note(&mut self, at: &At<'_>, day: i32, title: &str, text: &str, source: Option<&str>) {
        self.note_row(
            at,
            NoteRow {
                note_date: day,
                note_type_concept_id: type_concept::NOTE,
                note_title: Some(title),
                note_text: text,
                note_source_value: source,
                ..Default::default()
            },
        );
    }
}

/// A name at its first blank; without one the whole is the first part.
pub fn name_parts(text: &str) -> (Option<&str>, Option<&str>) {
    let text = text.trim_matches([' ', '\u{3000}']);
    match text.split_once([' ', '\u{3000}']) {
        Some((family, given)) => (stated(family), stated(given)),
        None => (stated(text), None),
    }
}
