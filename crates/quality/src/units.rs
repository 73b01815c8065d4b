//! Units of a test, as they are written, with what they are of its usual one.

/// The units of a test.
#[derive(Debug, Clone)]
pub(crate) struct Units(Vec<(String, f64)>);

impl Units {
    /// `mg/dL=1|g/L=100`: each unit and how many of the usual one it is. A factor of 0 is a unit that is right and whose values
    /// are not compared. None when it is not written so.
    pub(crate) fn parse(text: &str) -> Option<Units> {
        let unit = |part: &str| {
            let (unit, factor) = part.rsplit_once('=')?;
            let factor: f64 = factor.parse().ok()?;
            (factor.is_finite() && factor >= 0.0).then(|| (plain(unit), factor))
        };
        let units: Option<Vec<_>> = text.split('|').map(unit).collect();
        units.filter(|u| !u.is_empty()).map(Units)
    }

    /// How many of the usual unit a unit is; none when the test has no such unit.
    pub(crate) fn factor(&self, unit: &str) -> Option<f64> {
        let unit = plain(unit);
        self.0.iter().find(|(u, _)| *u == unit).map(|(_, f)| *f)
    }
}

/// Signs that stand for a whole unit or number.
const WHOLE: &[(char, &str)] = &[
    ('㎗', "dl"),
    ('㎎', "mg"),
    ('㎍', "ug"),
    ('㎖', "ml"),
    ('㎕', "ul"),
    ('㎏', "kg"),
    ('㎝', "cm"),
    ('㎜', "mm"),
    ('㎡', "m2"),
    ('千', "10^3"),
    ('万', "10^4"),
];

/// A unit as it is compared: half width, small letters, one sign for micro and for powers, no leading dot or times sign.
pub(crate) fn plain(unit: &str) -> String {
    let mut out = String::with_capacity(unit.len());
    for c in unit.chars() {
        let c = match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            'µ' | 'μ' => 'u',
            '×' => 'x',
            '²' => '2',
            '³' => '3',
            'ℓ' => 'l',
            other => match WHOLE.iter().find(|(sign, _)| *sign == other) {
                Some((_, text)) => {
                    out.push_str(text);
                    continue;
                }
                None => other,
            },
        };
        match c.to_ascii_lowercase() {
            ' ' | '\u{3000}' | '[' | ']' | '{' | '}' | '(' | ')' => {}
            '*' => out.push('^'),
            c => out.push(c),
        }
    }
    let out = out.replace("m^2", "m2").replace("/mm^3", "/ul").replace("/mm3", "/ul");
    let rest = out.trim_start_matches('.');
    let rest = rest.strip_suffix("ngsp").unwrap_or(rest);
    rest.strip_prefix('x').filter(|r| r.starts_with("10")).unwrap_or(rest).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_unit_are_one() {
        let units = Units::parse("10^3/uL=1|/uL=0.001|mg/dL=1|u[IU]/mL=2").expect("units");
        for (unit, factor) in [
            (".10*3/uL", Some(1.0)),
            ("×10＾3/μL", Some(1.0)),
            ("/µL", Some(0.001)),
            ("ＭＧ／ＤＬ", Some(1.0)),
            ("μIU/mL", Some(2.0)),
            ("mg/㎗", Some(1.0)),
            ("㎎／㎗", Some(1.0)),
            ("千/μL", Some(1.0)),
            ("10*3/mm³", Some(1.0)),
            ("g/dL", None),
            ("", None),
        ] {
            assert_eq!(units.factor(unit), factor, "{unit}");
        }
        assert!(Units::parse("mg/dL").is_none() && Units::parse("mg/dL=x").is_none() && Units::parse("").is_none());
    }
}
