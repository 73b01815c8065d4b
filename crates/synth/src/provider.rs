//! A hospital: its number, its people and its habits of writing.

use crate::clinic::{LABS, Panel};
use crate::day::{Day, day};
use crate::dice::Dice;
use crate::encode::Encoding;
use crate::numbers::{self, IdStyle, LocalIds};
use crate::tables::{self, PREFECTURES, Prefecture};

/// Departments: local code and name.
pub const DEPARTMENTS: &[(&str, &str)] = &[
    ("01", "内科"),
    ("02", "循環器内科"),
    ("06", "消化器内科"),
    ("10", "外科"),
    ("11", "整形外科"),
    ("04", "脳神経内科"),
    ("05", "呼吸器内科"),
    ("15", "泌尿器科"),
    ("17", "耳鼻咽喉科"),
    ("08", "精神科"),
    ("14", "皮膚科"),
    ("16", "眼科"),
    ("09", "小児科"),
    ("13", "産婦人科"),
];

/// Where in [`DEPARTMENTS`] newborns are looked after.
pub const PAEDIATRICS: usize = 12;

/// How a provider writes characters that JIS X 0208 level 1 and 2 do not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rare {
    /// As vendor characters.
    Keep,
    /// The common form instead.
    Common,
    /// 〓 instead.
    Geta,
}

/// How symbol, number and branch of a card stand in IN1-10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardStyle {
    /// `記号~番号~枝番`, full width.
    RepeatsWide,
    /// `記号^番号^枝番`.
    Components,
    /// `記号・番号`, no branch.
    Joined,
}

/// How "less than" is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LessThan {
    /// `SN` with `<^0.05`.
    Structured,
    /// `ST` with `< 0.05`.
    Blank,
    /// `ST` with `0.05未満`.
    Words,
}

/// Habits of one provider.
#[derive(Debug, Clone)]
pub struct Style {
    /// Patient ids.
    pub ids: IdStyle,
    /// Rare characters.
    pub rare: Rare,
    /// Encodings and how often each.
    pub encodings: &'static [(Encoding, f64)],
    /// Share of files whose segments end in CR LF.
    pub crlf: f64,
    /// Share of files closed by 0x1A.
    pub control_z: f64,
    /// Share of files without the escape back at the end of a segment.
    pub open_end: f64,
    /// MSH-18 and MSH-20.
    pub character_set: (&'static str, &'static str),
    /// PID-3 without type.
    pub bare_id: bool,
    /// Cards.
    pub card: CardStyle,
    /// Municipal insurer numbers padded to 8 digits.
    pub pad_insurer: bool,
    /// Small kana written large.
    pub large_kana: bool,
    /// Addresses with 丁目, 番 and 号 (else digits and dashes).
    pub long_address: bool,
    /// One PPR-01 file a diagnosis.
    pub split_diagnoses: bool,
    /// Drugs are handed out in the house and OMP-11 is written.
    pub dispensing: bool,
    /// Values below the limit.
    pub less_than: LessThan,
    /// The local name of a test beside its JLAC10 code.
    pub local_beside: bool,
    /// Units in lower case under a local table.
    pub local_units: bool,
}

/// One test at one provider.
pub struct LocalLab {
    /// Local code.
    pub code: String,
    /// Whether the provider has no JLAC10 code for it.
    pub only_local: bool,
    /// Until when it was reported in another unit: day, unit, factor.
    pub before: Option<(Day, &'static str, f64)>,
}

/// A doctor.
pub struct Doctor {
    /// `id^family^given^…`, ready for XCN fields.
    pub xcn: String,
}

/// A provider.
pub struct Provider {
    /// Institution code of 10 digits.
    pub id: String,
    /// Name.
    pub name: String,
    /// Where it stands.
    pub prefecture: &'static Prefecture,
    /// Place of the prefecture in the table.
    pub prefecture_at: usize,
    /// Its habits.
    pub style: Style,
    /// Its patient numbers.
    pub local_ids: LocalIds,
    /// Doctors by department.
    pub doctors: Vec<Vec<Doctor>>,
    /// Tests, in the order of [`LABS`].
    pub labs: Vec<LocalLab>,
    /// Mark of its local tables, `99Z01` ….
    pub mark: String,
    /// Telephone number, unassigned.
    pub phone: String,
}

const NAMES: &[&str] = &["校倉中央病院", "正倉記念病院", "北倉総合病院", "南倉医療センター", "中倉病院", "双倉大学病院"];

const CLEAN: &[(Encoding, f64)] = &[(Encoding::Iso2022, 0.97), (Encoding::Cp932, 0.03)];
const MIXED: &[(Encoding, f64)] = &[(Encoding::Iso2022, 0.86), (Encoding::Cp932, 0.14)];
const MANY: &[(Encoding, f64)] = &[(Encoding::Iso2022, 0.84), (Encoding::Euc, 0.06), (Encoding::Utf8Bom, 0.10)];

/// The first three providers are as different as can be; the habits of further ones are drawn.
fn style(n: u32, dice: &mut Dice) -> Style {
    let base = match if n < 3 { n } else { dice.below(3) } {
        0 => Style {
            ids: IdStyle::Padded10,
            rare: Rare::Common,
            encodings: CLEAN,
            crlf: 0.0,
            control_z: 0.0,
            open_end: 0.01,
            character_set: ("~ISO IR87", "ISO 2022-1994"),
            bare_id: false,
            card: CardStyle::RepeatsWide,
            pad_insurer: true,
            large_kana: false,
            long_address: false,
            split_diagnoses: false,
            dispensing: true,
            less_than: LessThan::Blank,
            local_beside: true,
            local_units: false,
        },
        1 => Style {
            ids: IdStyle::Unpadded,
            rare: Rare::Keep,
            encodings: MIXED,
            crlf: 0.25,
            control_z: 0.0,
            open_end: 0.0,
            character_set: ("~ISOIR87", "ISO2022-1994"),
            bare_id: true,
            card: CardStyle::Components,
            pad_insurer: false,
            large_kana: true,
            long_address: true,
            split_diagnoses: true,
            dispensing: false,
            less_than: LessThan::Structured,
            local_beside: false,
            local_units: true,
        },
        _ => Style {
            ids: IdStyle::Padded8,
            rare: Rare::Geta,
            encodings: MANY,
            crlf: 0.05,
            control_z: 0.2,
            open_end: 0.03,
            character_set: ("~ISO IR87", "ISO2022-1994"),
            bare_id: false,
            card: CardStyle::Joined,
            pad_insurer: false,
            large_kana: false,
            long_address: true,
            split_diagnoses: false,
            dispensing: false,
            less_than: LessThan::Words,
            local_beside: false,
            local_units: false,
        },
    };
    if n < 3 {
        return base;
    }
    Style {
        ids: *dice.pick(&[IdStyle::Padded10, IdStyle::Unpadded, IdStyle::Padded8]),
        rare: *dice.pick(&[Rare::Keep, Rare::Common, Rare::Geta]),
        card: *dice.pick(&[CardStyle::RepeatsWide, CardStyle::Components, CardStyle::Joined]),
        long_address: dice.chance(0.5),
        dispensing: dice.chance(0.4),
        ..base
    }
}

/// Units that some providers used before, with the factor from the present unit.
fn former_unit(key: &str) -> Option<(&'static str, f64)> {
    Some(match key {
        "WBC" => ("/uL", 1_000.0),
        "PLT" => (".10*4/uL", 0.1),
        "RBC" => (".10*4/uL", 100.0),
        "CRP" => ("mg/L", 10.0),
        "ALB" | "TP" => ("g/L", 10.0),
        "AST" | "ALT" | "LDH" | "CK" => ("IU/L", 1.0),
        "NA" | "K" | "CL" => ("mEq/L", 1.0),
        _ => return None,
    })
}

fn local_labs(n: u32, dice: &mut Dice) -> Vec<LocalLab> {
    let panels: Vec<Panel> = LABS.iter().fold(Vec::new(), |mut seen, lab| {
        if !seen.contains(&lab.panel) {
            seen.push(lab.panel);
        }
        seen
    });
    let mut only_local = vec![false; LABS.len()];
    // A quarter of each panel, so that about a quarter of the results has only a local code whatever is ordered.
    let mut owed = dice.unit() * 0.5;
    for panel in panels {
        let mut members: Vec<usize> = (0..LABS.len()).filter(|&i| LABS[i].panel == panel).collect();
        owed += members.len() as f64 * 0.25;
        while owed >= 1.0 && !members.is_empty() {
            let at = dice.below(members.len() as u32) as usize;
            only_local[members.swap_remove(at)] = true;
            owed -= 1.0;
        }
    }
    let changed = day(2024, 1 + dice.below(9), 1);
    LABS.iter()
        .enumerate()
        .map(|(i, lab)| LocalLab {
            code: format!("{}{:04}", ["L", "", "K-"][(n % 3) as usize], 1001 + i * 7),
            only_local: only_local[i],
            before: former_unit(lab.key).filter(|_| dice.chance(0.45)).map(|(unit, factor)| (changed, unit, factor)),
        })
        .collect()
}

impl Provider {
    /// The n-th provider of a seed.
    pub fn new(seed: u64, n: u32) -> Self {
        let mut dice = Dice::of(seed, [1, u64::from(n), 0]);
        // The first two stand in one prefecture, so that many people know both.
        let at = |dice: &mut Dice| dice.weighted(PREFECTURES.iter().map(|p| p.weight));
        let first = at(&mut Dice::of(seed, [2, 0, 0]));
        let prefecture_at = if n < 2 { first } else { at(&mut dice) };
        let prefecture = &PREFECTURES[prefecture_at];
        let style = style(n, &mut dice);
        let doctors = DEPARTMENTS
            .iter()
            .enumerate()
            .map(|(d, _)| {
                (0..3 + dice.below(4))
                    .map(|i| {
                        let family = tables::surname(&mut dice);
                        let female = dice.chance(0.3);
                        let given = tables::given(female, 1960 + dice.between(0, 30), &mut dice);
                        let id = format!("D{n}{d:02}{i}");
                        let xcn = format!("{id}^{}^{}^^^^^^^L^^^^^I", family.written, given.written);
                        Doctor { xcn }
                    })
                    .collect()
            })
            .collect();
        Self {
            id: numbers::institution(prefecture.number, n),
            name: match NAMES.get(n as usize) {
                Some(name) => (*name).to_owned(),
                None => format!("架空第{}病院", n + 1),
            },
            prefecture,
            prefecture_at,
            local_ids: LocalIds::new(style.ids, &mut dice),
            doctors,
            labs: local_labs(n, &mut dice),
            mark: format!("99Z{:02}", n % 100),
            phone: numbers::landline(prefecture.area, &mut dice),
            style,
        }
    }

    /// A doctor of a department, the same one for the same patient mostly.
    pub fn doctor(&self, department: usize, patient: u64) -> &Doctor {
        let of = &self.doctors[department % self.doctors.len()];
        &of[(patient % of.len() as u64) as usize]
    }
}
