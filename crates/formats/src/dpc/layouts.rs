//! Layouts of DPC files as data: chosen by the kind of file and the date of the service.

use std::sync::LazyLock;

use serde::Deserialize;

include!(concat!(env!("OUT_DIR"), "/dpc_layouts.rs"));

/// Kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum Kind {
    /// EF統合, inpatient.
    EFn,
    /// EF統合, outpatient.
    EFg,
    /// 包括診療明細.
    D,
    /// Acts, before EF was one file.
    E,
    /// Details, before EF was one file.
    F,
    /// 重症度、医療・看護必要度.
    H,
    /// 様式1.
    FF1,
    /// 様式3.
    FF3,
    /// 様式4.
    FF4,
    /// Identifiers.
    K,
}

macro_rules! roles {
    ($($name:ident),+ $(,)?) => {
        /// What a column says.
        #[allow(non_camel_case_types)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        pub enum Role { $(
            #[allow(missing_docs)]
            $name
        ),+ }
        const ROLES: usize = [$(Role::$name),+].len();
    };
}

roles!(
    facility,
    data_id,
    discharge,
    admission,
    birth,
    visit_date,
    section,
    sequence,
    line,
    local_code,
    code,
    interpretation,
    name,
    amount,
    unit,
    price,
    yen,
    fee,
    flags,
    act_points,
    drug_cost,
    material_cost,
    count,
    insurer,
    claim_type,
    date,
    receipt_department,
    department,
    doctor,
    ward,
    ward_kind,
    in_out,
    facility_type,
    charged_from,
    charged_to,
    charged_since,
    dpc,
    coefficient,
    stay_number,
    form_number,
    form_code,
    version,
    number,
    p1,
    p2,
    p3,
    p4,
    p5,
    p6,
    p7,
    p8,
    p9,
    p10,
    p11,
    outside,
    other,
);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: Kind,
    from: String,
    to: Option<String>,
    certainty: String,
    columns: Vec<Role>,
    #[serde(default)]
    flags: Vec<String>,
}

/// A layout.
pub struct Layout {
    /// Kind of file.
    pub kind: Kind,
    /// First and last day of service for which it holds.
    pub valid: (i32, i32),
    /// A, B or C: how sure it is.
    pub certainty: String,
    /// Number of columns.
    pub width: usize,
    places: [u8; ROLES],
    flags: Vec<String>,
}

impl Layout {
    /// Number of the column with this role, from 1; 0 when the layout has none.
    #[inline]
    pub fn at(&self, role: Role) -> usize {
        usize::from(self.places[role as usize])
    }

    /// Position of a flag in the column of flags.
    pub fn flag(&self, name: &str) -> Option<usize> {
        self.flags.iter().position(|f| f == name)
    }
}

fn day(text: &str) -> Option<i32> {
    crate::days::typed(text).map(|d| d.day)
}

/// Every layout there is.
pub static LAYOUTS: LazyLock<Vec<Layout>> = LazyLock::new(|| {
    let files = FILES.iter().filter(|(name, _)| *name != "form1.toml");
    // A test reads every file: here one that is wrong is left out.
    files.filter_map(|(_, text)| read(text).ok()).collect()
});

fn read(text: &str) -> Result<Layout, String> {
    let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
    let mut places = [0; ROLES];
    for (n, role) in file.columns.iter().enumerate() {
        let place = &mut places[*role as usize];
        if *place != 0 {
            return Err(format!("{role:?} stands twice"));
        }
        *place = u8::try_from(n + 1).map_err(|e| e.to_string())?;
    }
    let from = day(&file.from).ok_or("`from` is no date")?;
    let to = match &file.to {
        Some(to) => day(to).ok_or("`to` is no date")?,
        None => i32::MAX,
    };
    Ok(Layout {
        kind: file.kind,
        valid: (from, to),
        certainty: file.certainty,
        width: file.columns.len(),
        places,
        flags: file.flags,
    })
}

/// The layout of a kind of file for a day of service; before the first, the first: and whether the day is within.
pub fn layout(kind: Kind, day: i32) -> Option<(&'static Layout, bool)> {
    let mut of_kind: Vec<&Layout> = LAYOUTS.iter().filter(|l| l.kind == kind).collect();
    of_kind.sort_by_key(|l| l.valid.0);
    let holds = of_kind.iter().find(|l| l.valid.0 <= day && day <= l.valid.1);
    holds.map(|l| (*l, true)).or_else(|| of_kind.first().map(|l| (*l, false)))
}

/// Items of 様式1.
#[derive(Deserialize)]
pub struct Form1 {
    /// Every code that the survey has had.
    pub code: Vec<Code>,
    /// Codes that are diagnoses.
    pub diagnosis: Vec<Role1>,
    /// Payloads that are measured values.
    pub measure: Vec<Measure>,
}

/// A code of 様式1.
#[derive(Deserialize)]
pub struct Code {
    /// The code.
    pub code: String,
    /// `admission` or `discharge`: the day where none is stated.
    pub at: String,
    /// First day of the survey with it.
    pub since: Option<String>,
    /// Last.
    pub until: Option<String>,
}

/// A diagnosis of 様式1.
#[derive(Deserialize)]
pub struct Role1 {
    /// The code.
    pub code: String,
    /// OMOP condition status.
    pub status: i32,
}

/// A payload that is a measured value.
#[derive(Deserialize)]
pub struct Measure {
    /// The code.
    pub code: String,
    /// Number of the payload.
    pub payload: usize,
    /// UCUM.
    pub unit: String,
    /// `admission` or `discharge`.
    pub at: String,
}

/// The items of 様式1.
pub static FORM1: LazyLock<Form1> = LazyLock::new(|| {
    let text = FILES.iter().find(|(name, _)| *name == "form1.toml").map_or("", |(_, text)| text);
    toml::from_str(text).unwrap_or(Form1 { code: Vec::new(), diagnosis: Vec::new(), measure: Vec::new() })
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_file_is_read_and_layouts_of_a_kind_do_not_overlap() {
        for (name, text) in FILES.iter().filter(|(name, _)| *name != "form1.toml") {
            if let Err(error) = read(text) {
                panic!("{name}: {error}");
            }
        }
        assert!(FORM1.code.len() > 70 && FORM1.diagnosis.len() == 6 && !FORM1.measure.is_empty());
        for one in LAYOUTS.iter() {
            for other in LAYOUTS.iter().filter(|o| o.kind == one.kind && o.valid != one.valid) {
                assert!(one.valid.1 < other.valid.0 || other.valid.1 < one.valid.0, "{:?}", one.kind);
            }
        }
        for (kind, width) in
            [(Kind::EFn, 31), (Kind::EFg, 31), (Kind::D, 30), (Kind::E, 25), (Kind::F, 18), (Kind::H, 20), (Kind::FF1, 17)]
        {
            let widths: Vec<usize> = LAYOUTS.iter().filter(|l| l.kind == kind).map(|l| l.width).collect();
            assert!(!widths.is_empty() && widths.iter().all(|w| *w == width), "{kind:?}");
        }
    }

    #[test]
    fn the_date_of_the_service_chooses_the_layout() {
        let at = |d: &str| layout(Kind::EFn, day(d).expect("a day")).expect("a layout");
        assert_eq!(at("2015-03-31").0.flag("brought_in"), None);
        assert_eq!(at("2024-06-10").0.flag("brought_in"), Some(2));
        assert!(!at("2012-01-01").1 && at("2030-01-01").1);
        assert!(
            FORM1
                .code
                .iter()
                .all(|c| c.since.as_deref().is_none_or(|d| day(d).is_some())
                    && c.until.as_deref().is_none_or(|d| day(d).is_some()))
        );
    }
}
