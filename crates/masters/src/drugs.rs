//! From one drug code to the others, through the HOT file (fact: claims' code ↔ 薬価基準コード ↔ YJ ↔ HOT). None of these is one to one:
//! one claims' code can stand for the drugs of several companies (統一名収載), one YJ code has several packages.

use std::collections::BTreeSet;

use crate::edition::{Details, Row};
use crate::editions::{Key, Masters, Resolved};
use crate::kind::Kind;
use crate::system::System;

impl Masters {
    /// Rows of the HOT master of a drug's code on a day: YJ, HOT7, HOT9, HOT13, or the claims' code. Where the HOT file does not name a
    /// claims' code, those that share its 薬価基準収載医薬品コード. All of them; none for a code of another system.
    pub fn hot(&self, system: System, code: &str, day: i32) -> Vec<Resolved<'_>> {
        match system {
            System::Hot13 => self.resolve(Kind::Hot, code, day).into_iter().collect(),
            System::Hot9 if code.len() == 9 => self.resolve_beginning(Kind::Hot, code, day),
            System::Hot7 if code.len() == 7 => self.resolve_beginning(Kind::Hot, code, day),
            System::Yj => self.resolve_by(Kind::Hot, Key::Yj, code, day),
            System::Drug => {
                let named = self.resolve_by(Kind::Hot, Key::Claim, code, day);
                if !named.is_empty() {
                    return named;
                }
                let drug = self.resolve(Kind::Drug, code, day).map(|drug| &drug.row.details);
                match drug {
                    Some(Details::Drug { price_standard: Some(price), .. }) => {
                        self.resolve_by(Kind::Hot, Key::PriceStandard, price, day)
                    }
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    /// Codes of `to` for a drug's code on a day, each once, in their order: of a claims' code its YJ codes, of a HOT9 its claims' codes,
    /// and so on between [`System::Drug`], [`System::Yj`], [`System::Hot7`], [`System::Hot9`] and [`System::Hot13`]. Several are all
    /// returned. A HOT row without a claims' code of its own has those of the drug master with its 薬価基準収載医薬品コード.
    pub fn drug_codes(&self, system: System, code: &str, to: System, day: i32) -> Vec<&str> {
        let mut codes = BTreeSet::new();
        for found in self.hot(system, code, day) {
            match to {
                System::Hot13 => codes.extend(found.row.hot13()),
                System::Hot9 => codes.extend(found.row.hot9()),
                System::Hot7 => codes.extend(found.row.hot7()),
                System::Yj => codes.extend(yj(found.row)),
                System::Drug => self.claims(found.row, day, &mut codes),
                _ => {}
            }
        }
        codes.into_iter().collect()
    }

    fn claims<'m>(&'m self, row: &'m Row, day: i32, codes: &mut BTreeSet<&'m str>) {
        let Details::Hot { price_standard, claim, .. } = &row.details else { return };
        if claim.iter().any(Option::is_some) {
            codes.extend(claim.iter().flatten().map(|c| &**c));
        } else if let Some(price) = price_standard {
            let drugs = self.resolve_by(Kind::Drug, Key::PriceStandard, price, day);
            codes.extend(drugs.into_iter().map(|drug| &*drug.row.code));
        }
    }
}

fn yj(row: &Row) -> Option<&str> {
    match &row.details {
        Details::Hot { yj, .. } => yj.as_deref(),
        _ => None,
    }
}
