//! Where fields stand, by kind of claim (numbers from 1, as in 記録条件仕様).

/// Kind of claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// 医科.
    Medical,
    /// DPC.
    Dpc,
    /// 歯科.
    Dental,
    /// 調剤.
    Pharmacy,
}

impl Form {
    /// Word for keys.
    pub const fn name(self) -> &'static str {
        match self {
            Form::Medical => "medical",
            Form::Dpc => "dpc",
            Form::Dental => "dental",
            Form::Pharmacy => "pharmacy",
        }
    }
}

/// Fields of a line with one column a day: 0 stands for a field that the layout does not have.
#[derive(Clone, Copy)]
pub struct Daily {
    /// Quantity or amount.
    pub amount: usize,
    /// Points.
    pub points: usize,
    /// Count.
    pub count: usize,
    /// Column of the first day; 31 follow.
    pub days: usize,
    /// Unit.
    pub unit: usize,
    /// Comment codes, each followed by its text.
    pub comments: &'static [usize],
}

/// Layout of a kind of claim.
pub struct Layout {
    /// Columns of RE, and the last that must be there.
    pub re: (usize, usize),
    /// Katakana name in RE.
    pub kana: usize,
    /// Chart number in RE.
    pub chart: usize,
    /// Day of admission in RE.
    pub admission: usize,
    /// Day of the first visit in RE.
    pub first_visit: usize,
    /// SI (SS in dental claims has [`Layout::ss`]).
    pub si: Daily,
    /// IY.
    pub iy: Daily,
    /// TO.
    pub to: Daily,
    /// SS.
    pub ss: Daily,
    /// Comment code of CO; its text follows.
    pub co: usize,
}

const NONE: Daily = Daily { amount: 0, points: 0, count: 0, days: 0, unit: 0, comments: &[] };

const MEDICAL_SI: Daily = Daily { amount: 5, points: 6, count: 7, days: 14, unit: 0, comments: &[8, 10, 12] };
const MEDICAL_TO: Daily = Daily { amount: 5, points: 6, count: 7, days: 18, unit: 8, comments: &[12, 14, 16] };

static MEDICAL: Layout = Layout {
    re: (38, 14),
    kana: 37,
    chart: 14,
    admission: 9,
    first_visit: 0,
    si: MEDICAL_SI,
    iy: MEDICAL_SI,
    to: MEDICAL_TO,
    ss: NONE,
    co: 4,
};

static DPC: Layout = Layout {
    re: (30, 14),
    kana: 29,
    chart: 14,
    admission: 9,
    first_visit: 0,
    si: MEDICAL_SI,
    iy: MEDICAL_SI,
    to: MEDICAL_TO,
    ss: NONE,
    co: 4,
};

// Days of the dental TO are taken to be its last 31 columns, as in the other records.
static DENTAL: Layout = Layout {
    re: (27, 10),
    kana: 26,
    chart: 16,
    admission: 9,
    first_visit: 10,
    si: Daily { amount: 5, points: 6, count: 7, days: 8, unit: 0, comments: &[] },
    iy: Daily { amount: 5, points: 6, count: 7, days: 9, unit: 0, comments: &[] },
    to: Daily { amount: 5, points: 6, count: 7, days: 15, unit: 8, comments: &[] },
    ss: Daily { amount: 5, points: 77, count: 78, days: 79, unit: 0, comments: &[] },
    co: 4,
};

static PHARMACY: Layout =
    Layout { re: (42, 12), kana: 42, chart: 0, admission: 0, first_visit: 0, si: NONE, iy: NONE, to: NONE, ss: NONE, co: 2 };

impl Form {
    /// Its layout.
    pub fn layout(self) -> &'static Layout {
        match self {
            Form::Medical => &MEDICAL,
            Form::Dpc => &DPC,
            Form::Dental => &DENTAL,
            Form::Pharmacy => &PHARMACY,
        }
    }
}

/// Columns of a record, for the check of a line; `None` where the edition is not known well enough to complain.
pub fn columns(form: Form, record: &[u8; 2]) -> Option<usize> {
    let layout = form.layout();
    Some(match (record, form) {
        (b"RE", _) => layout.re.0,
        (b"HO", Form::Medical) => 15,
        (b"HO", Form::Dpc) => 16,
        (b"HO", Form::Dental | Form::Pharmacy) => 14,
        (b"SN", _) => 9,
        (b"SY", _) => 8,
        (b"SI" | b"IY", Form::Medical | Form::Dpc) => 44,
        (b"TO", Form::Medical | Form::Dpc) => 48,
        (b"SI", Form::Dental) => 38,
        (b"SS", _) => 109,
        (b"CO", Form::Medical | Form::Dpc) => 5,
        (b"SJ", _) => 3,
        (b"SB", _) => 8,
        (b"CD", _) => 11,
        (b"HS", _) => 13,
        _ => return None,
    })
}

/// Records that are known, say nothing that rows are made of, and are counted: donor blocks, coefficients and sums of
/// DPC, fees of pharmacies whose layout is not verified, and what review bodies and insurers add on the way.
pub fn is_counted(record: &[u8; 2]) -> bool {
    matches!(
        record,
        b"MF"
            | b"GR"
            | b"TI"
            | b"TR"
            | b"TS"
            | b"KK"
            | b"GA"
            | b"HH"
            | b"GT"
            | b"NI"
            | b"KI"
            | b"ST"
            | b"TK"
            | b"MN"
            | b"RC"
            | b"EX"
            | b"JY"
            | b"HR"
            | b"HI"
            | b"HG"
            | b"MK"
            | b"RT"
            | b"JR"
            | b"KH"
    )
}
