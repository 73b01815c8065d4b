//! Transforms as they are written: `age=micro:5`, `age+income=mdav:5`, `income=top:10:by:sex`, …

use crate::table::TableError;

/// How each transform is written.
pub const FORMS: &[&str] = &[
    "A=micro:K",
    "A=microopt:K",
    "A+B=mdav:K",
    "A=round:WIDTH",
    "A=top:ROWS",
    "A=top:ROWS:by:B",
    "A=bottom:ROWS",
    "A=bottom:ROWS:by:B",
    "A=pram:CHANCE",
];

/// What is done to columns.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Groups of at least k records by MDAV; values become the group's mean.
    Mdav {
        /// Records.
        k: usize,
    },
    /// The same by the groups of one column that lose least.
    Optimal {
        /// Records.
        k: usize,
    },
    /// The nearest multiple of a width.
    Round {
        /// Width, more than 0.
        width: f64,
    },
    /// Ends that fewer records reach become the bound that as many reach.
    Tails {
        /// Records at the upper end.
        top: Option<u64>,
        /// Records at the lower end.
        bottom: Option<u64>,
        /// The column whose values have bounds of their own.
        by: Option<String>,
    },
    /// Exchange by chance; the least chance that a value stays itself.
    Exchange {
        /// The chance.
        stay: f64,
    },
}

/// One transform.
#[derive(Debug, Clone, PartialEq)]
pub struct Transform {
    /// As it was written; the two ends of one column together.
    pub written: String,
    /// The columns, several only for MDAV.
    pub columns: Vec<String>,
    /// What is done.
    pub kind: Kind,
}

/// Transforms, each column in one at most.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transforms(pub Vec<Transform>);

impl Transforms {
    /// Reads transforms of columns that are kept.
    ///
    /// # Errors
    /// A form that is none, arguments that do not fit, a column that is not kept or has two transforms, a column of strata that is
    /// transformed itself: its bounds would tell what it was.
    pub fn parse<S: AsRef<str>>(written: &[S], kept: &[String]) -> Result<Self, TableError> {
        let mut all: Vec<Transform> = Vec::new();
        for text in written {
            let new = one(text.as_ref())?;
            for column in &new.columns {
                if !kept.contains(column) {
                    return Err(TableError::TransformNotKept { column: column.clone() });
                }
            }
            match all.iter_mut().find(|t| t.columns.iter().any(|c| new.columns.contains(c))) {
                None => all.push(new),
                Some(known) => known.join(&new)?,
            }
        }
        let strata = all.iter().filter_map(|t| if let Kind::Tails { by: Some(by), .. } = &t.kind { Some(by) } else { None });
        for column in strata {
            if all.iter().any(|t| t.columns.contains(column)) {
                return Err(TableError::TransformTwice { column: column.clone() });
            }
        }
        Ok(Self(all))
    }
}

impl Transform {
    /// The fewest records that share a value or an end; nothing where the transform makes no groups.
    pub fn fewest(&self) -> Option<u64> {
        match &self.kind {
            Kind::Mdav { k } | Kind::Optimal { k } => Some(*k as u64),
            Kind::Tails { top, bottom, .. } => top.iter().chain(bottom).copied().min(),
            Kind::Round { .. } | Kind::Exchange { .. } => None,
        }
    }

    /// The other end of the same column.
    fn join(&mut self, other: &Transform) -> Result<(), TableError> {
        let twice = || TableError::TransformTwice { column: other.columns.join("+") };
        let (Kind::Tails { top, bottom, by }, Kind::Tails { top: t, bottom: b, by: of }) = (&mut self.kind, &other.kind) else {
            return Err(twice());
        };
        if by != of || (top.is_some() && t.is_some()) || (bottom.is_some() && b.is_some()) {
            return Err(twice());
        }
        (*top, *bottom) = (top.or(*t), bottom.or(*b));
        self.written = format!("{} {}", self.written, other.written);
        Ok(())
    }
}

fn one(text: &str) -> Result<Transform, TableError> {
    let unknown = || TableError::TransformUnknown { text: text.to_owned() };
    // A column's name may hold any of these signs, a form holds no =.
    let (columns, form) = text.rsplit_once('=').ok_or_else(unknown)?;
    let parts: Vec<&str> = form.splitn(4, ':').collect();
    let count = |at: usize| parts.get(at).and_then(|p| p.parse::<u64>().ok()).filter(|n| *n >= 2).ok_or_else(unknown);
    let number = |at: usize| parts.get(at).and_then(|p| p.parse::<f64>().ok()).filter(|x| x.is_finite()).ok_or_else(unknown);
    let by = || match parts[2..] {
        [] => Ok(None),
        ["by", column] if !column.is_empty() => Ok(Some(column.to_owned())),
        _ => Err(unknown()),
    };
    let plain = |kind: Kind| if parts.len() == 2 { Ok(kind) } else { Err(unknown()) };
    let kind = match parts[0] {
        "micro" | "mdav" => plain(Kind::Mdav { k: count(1)? as usize })?,
        "microopt" => plain(Kind::Optimal { k: count(1)? as usize })?,
        "round" => plain(Kind::Round { width: Some(number(1)?).filter(|w| *w > 0.0).ok_or_else(unknown)? })?,
        "top" => Kind::Tails { top: Some(count(1)?), bottom: None, by: by()? },
        "bottom" => Kind::Tails { top: None, bottom: Some(count(1)?), by: by()? },
        "pram" => plain(Kind::Exchange { stay: Some(number(1)?).filter(|p| (0.0..=1.0).contains(p)).ok_or_else(unknown)? })?,
        _ => return Err(unknown()),
    };
    let columns: Vec<String> = match parts[0] {
        "mdav" => columns.split('+').map(str::to_owned).collect(),
        _ => vec![columns.to_owned()],
    };
    let mut sorted = columns.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() < columns.len() || columns.iter().any(String::is_empty) {
        return Err(unknown());
    }
    Ok(Transform { written: text.to_owned(), columns, kind })
}
