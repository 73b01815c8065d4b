//! Rows of the HOT file by a drug's code of any system (fact: claims' code ↔ 薬価基準コード ↔ YJ ↔ HOT). None of these is one to one:
//! one claims' code can stand for the drugs of several companies (統一名収載), one YJ code has several packages.

use crate::edition::Details;
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
}
