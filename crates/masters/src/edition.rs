//! An edition of a master: its rows, what was found when it was read, and what a later one changes.

use crate::editions::icd10_with_dot;
use crate::error::MasterError;
use crate::kind::{Extent, Kind};
use crate::system::System;
use crate::text::Charset;

/// What column 1 (変更区分) says of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// 0: as before. Also where a master has no such column.
    None,
    /// 1: no longer in the master.
    Deleted,
    /// 3: new.
    New,
    /// 5: changed.
    Changed,
    /// 9: abolished, its row still there.
    Abolished,
}

/// ICD-10 codes of a disease, without a dot as the master has them; those of 2013 where the row has any of them, else those of 2003.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Icd10 {
    /// The disease, or of a pair its cause (†).
    pub cause: Option<Box<str>>,
    /// Of a pair its manifestation (*).
    pub manifestation: Option<Box<str>>,
}

/// What only one kind of master has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Details {
    /// 傷病名.
    Disease {
        /// 病名管理番号, 8 digits.
        management: Option<Box<str>>,
        /// 病名交換用コード, 4 characters. Some look like an ICD-10 code and are none.
        exchange: Option<Box<str>>,
        /// ICD-10.
        icd10: Icd10,
        /// 移行先コード: the code that is to be used in its place; none where the master names the row itself.
        successor: Option<Box<str>>,
    },
    /// 修飾語.
    Modifier {
        /// 修飾語管理番号, 8 digits.
        management: Option<Box<str>>,
        /// 修飾語交換用コード, 4 characters.
        exchange: Option<Box<str>>,
    },
    /// 医薬品.
    Drug {
        /// Unit of the amount.
        unit: Option<Box<str>>,
        /// 薬価基準収載医薬品コード, 12 characters.
        price_standard: Option<Box<str>>,
    },
    /// 医科診療行為.
    Act {
        /// Unit of the amount.
        unit: Option<Box<str>>,
        /// 点数表区分番号: `K718-2`, and `K534-21` for its item 1.
        section: Option<Box<str>>,
    },
    /// 特定器材.
    Device {
        /// Unit of the amount.
        unit: Option<Box<str>>,
    },
    /// コメント.
    Comment {
        /// コメントパターン: 10 free, 20 fixed, 30 fixed with text, 31 code of an act, 40 digits, 42 number, 50 and above dates.
        pattern: Option<Box<str>>,
    },
    /// HOT. The row's code is its HOT13.
    Hot {
        /// 薬価基準収載医薬品コード, 12 characters.
        price_standard: Option<Box<str>>,
        /// 個別医薬品コード (YJ), 12 characters.
        yj: Option<Box<str>>,
        /// Codes of the claims' drug master, 9 digits; there can be two.
        claim: [Option<Box<str>>; 2],
    },
    /// JLAC10.
    Jlac10,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What the file says of the row.
    pub change: Change,
    /// Code, the key of the master.
    pub code: Box<str>,
    /// Name; 基本漢字名称 where the master has one beside the short name.
    pub name: Box<str>,
    /// Name in kana.
    pub kana: Option<Box<str>>,
    /// Day from which the code is listed, days since 1970-01-01; none where the master does not say. Drugs, acts, devices and
    /// comments have no such column.
    pub listed: Option<i32>,
    /// Day of the last change, days since 1970-01-01.
    pub changed: Option<i32>,
    /// Last day on which the code may be used (廃止年月日), days since 1970-01-01; none where it has no end.
    pub abolished: Option<i32>,
    /// What only this kind of master has.
    pub details: Details,
}

impl Row {
    /// Whether by its own dates the code may be used on a day.
    pub fn in_force(&self, day: i32) -> bool {
        self.listed.is_none_or(|d| d <= day) && self.abolished.is_none_or(|d| day <= d)
    }

    /// HOT7 of a row of the HOT master: what is prescribed.
    pub fn hot7(&self) -> Option<&str> {
        self.hot(7)
    }

    /// HOT9 of a row of the HOT master: HOT7 and the company.
    pub fn hot9(&self) -> Option<&str> {
        self.hot(9)
    }

    /// HOT13 of a row of the HOT master: HOT9, how it is dispensed, how it is packed.
    pub fn hot13(&self) -> Option<&str> {
        self.hot(13)
    }

    fn hot(&self, length: usize) -> Option<&str> {
        if matches!(self.details, Details::Hot { .. }) { self.code.get(..length) } else { None }
    }

    /// Whether two rows say the same, whatever their file says of them.
    fn says_the_same(&self, other: &Row) -> bool {
        let Row { change: _, code, name, kana, listed, changed, abolished, details } = self;
        *code == other.code
            && *name == other.name
            && *kana == other.kana
            && *listed == other.listed
            && *changed == other.changed
            && *abolished == other.abolished
            && *details == other.details
    }
}

/// Why a row could not be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BadRow {
    /// The code is not as wide as this master's codes, or has other characters.
    Code,
    /// Quotes do not fit.
    Quotes,
    /// Column 2 names another master.
    OtherMaster,
    /// Column 1 is no 変更区分.
    Change,
}

/// What of a loaded row could not be read; the row stands without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// The day from which it is listed.
    Listed,
    /// The day of the last change.
    Changed,
    /// The last day: the code counts as one without an end.
    Abolished,
    /// Characters that are none.
    Characters,
}

/// What was found when an edition was read. `rows` is the sum of the rows loaded, `duplicates`, `deleted` and `bad_rows`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How it was written.
    pub charset: Charset,
    /// Rows of the file, without a header.
    pub rows: usize,
    /// Lines whose code stands again further below: the last one counts.
    pub duplicates: Vec<u32>,
    /// Rows of a full file that says itself that they are deleted. Those of a difference file are among its rows.
    pub deleted: usize,
    /// Loaded rows whose last day is the edition's day or before.
    pub abolished: usize,
    /// Lines that could not be loaded, with the reason.
    pub bad_rows: Vec<(u32, BadRow)>,
    /// Lines that were loaded without something.
    pub doubts: Vec<(u32, Doubt)>,
    /// After a difference file: codes whose change does not fit the edition before it (changed, deleted or abolished though not there;
    /// new though there). The change was made nevertheless.
    pub unmatched: Vec<Box<str>>,
}

/// An edition of a master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// Which master.
    pub kind: Kind,
    /// Whether it is whole. Only a whole one can be looked into.
    pub extent: Extent,
    /// Its day, days since 1970-01-01.
    pub date: i32,
    /// Name of the file as the issuer has it; of a difference applied, both names.
    pub file_name: String,
    /// Rows by code, each code once.
    pub rows: Vec<Row>,
    /// What was found when it was read.
    pub report: Report,
}

/// What an edition changes, each by code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes<'e> {
    /// Rows that the edition before did not have.
    pub added: Vec<&'e Row>,
    /// Rows that say something else: before and after. Those newly abolished are among them.
    pub changed: Vec<(&'e Row, &'e Row)>,
    /// Rows that only the edition before has.
    pub gone: Vec<&'e Row>,
    /// Rows that have a last day and had none before.
    pub abolished: Vec<&'e Row>,
}

impl Edition {
    /// The row of a code.
    pub fn row(&self, code: &str) -> Option<&Row> {
        self.rows.binary_search_by(|row| (*row.code).cmp(code)).ok().map(|at| &self.rows[at])
    }

    /// Every code by which a row of it can be asked for, with its vocabulary: of diseases also the other keys and ICD-10, of HOT also what
    /// its shorter forms and YJ are, of acts their sections, of tests what 15 characters say.
    pub fn each_code(&self, mut take: impl FnMut(&'static str, &str)) {
        let own = self.kind.vocabulary_id();
        let icd = System::Icd10.vocabulary_id();
        for row in &self.rows {
            take(own, &row.code);
            match &row.details {
                Details::Disease { management, exchange, icd10, .. } => {
                    [management, exchange].into_iter().flatten().for_each(|code| take(own, code));
                    let codes = [&icd10.cause, &icd10.manifestation].into_iter().flatten();
                    codes.filter_map(|code| icd10_with_dot(code)).for_each(|code| take(icd, &code));
                }
                Details::Act { section: Some(section), .. } => take(own, section),
                Details::Hot { yj, .. } => {
                    [row.hot7(), row.hot9()].into_iter().flatten().for_each(|code| take(own, code));
                    yj.iter().for_each(|code| take(System::Yj.vocabulary_id(), code));
                }
                Details::Jlac10 => row.code.get(..15).into_iter().for_each(|code| take(own, code)),
                _ => {}
            }
        }
    }

    /// Rows whose code begins so.
    pub fn rows_beginning<'e>(&'e self, with: &str) -> &'e [Row] {
        let from = self.rows.partition_point(|row| *row.code < *with);
        let count = self.rows[from..].partition_point(|row| row.code.starts_with(with));
        &self.rows[from..from + count]
    }

    /// The whole edition that a difference file makes of the one before it. Several files are applied in the order of their days.
    ///
    /// Column 1 counts (masters of the 支払基金, 変更区分): 1 takes the row away, 3, 5 and 9 put it in the place of what was there.
    ///
    /// # Errors
    /// [`MasterError::NotAfter`] where `previous` is not whole, `difference` is none, they are of two masters, or it is not the later.
    pub fn after(previous: &Edition, difference: Edition) -> Result<Edition, MasterError> {
        let reason = if previous.kind != difference.kind {
            Some("it is of another master")
        } else if previous.extent != Extent::Full {
            Some("that is no whole edition itself")
        } else if difference.extent != Extent::Difference {
            Some("it is a whole edition")
        } else if difference.date <= previous.date {
            Some("it is not of a later day")
        } else {
            None
        };
        if let Some(reason) = reason {
            return Err(MasterError::NotAfter { file_name: difference.file_name, previous: previous.file_name.clone(), reason });
        }
        let Edition { kind, date, file_name, rows: changes, mut report, .. } = difference;
        let mut rows = Vec::with_capacity(previous.rows.len() + changes.len());
        let mut old = previous.rows.iter().peekable();
        for change in changes {
            while let Some(row) = old.next_if(|row| row.code < change.code) {
                rows.push(unchanged(row));
            }
            let there = old.next_if(|row| row.code == change.code).is_some();
            if there == (change.change == Change::New) {
                report.unmatched.push(change.code.clone());
            }
            if change.change != Change::Deleted {
                rows.push(change);
            }
        }
        rows.extend(old.map(unchanged));
        report.abolished = abolished(&rows, date);
        let file_name = format!("{} + {file_name}", previous.file_name);
        Ok(Edition { kind, extent: Extent::Full, date, file_name, rows, report })
    }

    /// What this edition changes of the one before it. Both should be whole, and of one master.
    pub fn compare<'e>(&'e self, previous: &'e Edition) -> Changes<'e> {
        let mut changes = Changes { added: Vec::new(), changed: Vec::new(), gone: Vec::new(), abolished: Vec::new() };
        let mut old = previous.rows.iter().peekable();
        for row in &self.rows {
            while let Some(gone) = old.next_if(|o| o.code < row.code) {
                changes.gone.push(gone);
            }
            let before = old.next_if(|o| o.code == row.code);
            if row.abolished.is_some() && before.is_some_and(|b| b.abolished.is_none()) {
                changes.abolished.push(row);
            }
            match before {
                None => changes.added.push(row),
                Some(before) if !row.says_the_same(before) => changes.changed.push((before, row)),
                Some(_) => {}
            }
        }
        changes.gone.extend(old);
        changes
    }
}

fn unchanged(row: &Row) -> Row {
    Row { change: Change::None, ..row.clone() }
}

/// Rows whose last day has come.
pub(crate) fn abolished(rows: &[Row], date: i32) -> usize {
    rows.iter().filter(|row| row.abolished.is_some_and(|d| d <= date)).count()
}
