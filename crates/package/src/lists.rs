//! The two tables that go with medical information: whom the provider told (contacts), and who said no (opt-outs). CSV in UTF-8 with a fixed
//! header. Their rows name people: nothing here prints itself, and an error names the line alone.

use std::io::{Read, Write};

use jiff::civil::Date;
use terms::{NoticeScope, Requester};

use crate::PackageError;

/// Name of the contacts in a payload.
pub const CONTACTS: &str = "contacts.csv";
/// Name of the opt-outs in a payload.
pub const OPT_OUTS: &str = "opt-outs.csv";
/// Header of the contacts.
pub const CONTACTS_HEADER: [&str; 4] = ["patient", "date", "addressee", "method"];
/// Header of the opt-outs.
pub const OPT_OUTS_HEADER: [&str; 4] = ["patient", "requester", "scope", "date"];
/// Largest list that is read.
pub const LARGEST_LIST: u64 = 512 << 20;
const LONGEST_FIELD: usize = 256;

/// A person was contacted after the provider's notice began, or by a letter of their own.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// Local patient id as the provider writes it.
    pub patient: String,
    /// Day of the contact.
    pub date: Date,
    /// Who was told: the person, a guardian.
    pub addressee: String,
    /// How: in person, letter, poster at a visit.
    pub method: String,
}

/// A person does not want their information to be provided.
#[derive(Clone, PartialEq, Eq)]
pub struct OptOut {
    /// Local patient id as the provider writes it.
    pub patient: String,
    /// Who asked.
    pub requester: Requester,
    /// What is not to be provided; everything when the list leaves it empty.
    pub scope: Vec<NoticeScope>,
    /// Day of the statement.
    pub date: Date,
    /// Nobody said it of this id, but of that one, which the files show to be the same person: the statement goes with that one.
    pub because: Option<String>,
}

/// Whether a file of a storage is called like one of the lists, or is a table in its root: as a record it would be passed over, and with it
/// whoever it says no for.
pub fn may_be_a_list(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    is_called_a_list(path) || (!path.contains('/') && name.ends_with(".csv"))
}

/// The same where tables are what is sent (checkups): only the name tells.
pub fn is_called_a_list(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let bare: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    bare.starts_with("optout") || bare.starts_with("contacts")
}

/// Reads contacts: header `patient,date,addressee,method`.
///
/// # Errors
/// [`PackageError::ListMalformed`] with the line, or as of reading.
pub fn read_contacts(list: &str, reader: impl Read) -> Result<Vec<Contact>, PackageError> {
    rows(list, reader, CONTACTS_HEADER, |row| {
        let [patient, date, addressee, method] = row;
        Ok(Contact {
            patient: patient_of(patient)?,
            date: date_of(date)?,
            addressee: addressee.to_owned(),
            method: method.to_owned(),
        })
    })
}

/// Reads opt-outs: header `patient,requester,scope,date`. An empty requester is the person, an empty scope is everything.
///
/// # Errors
/// [`PackageError::ListMalformed`] with the line, or as of reading.
pub fn read_opt_outs(list: &str, reader: impl Read) -> Result<Vec<OptOut>, PackageError> {
    rows(list, reader, OPT_OUTS_HEADER, |row| {
        let [patient, requester, scope, date] = row;
        let requester = match requester {
            "" => Requester::Person,
            word => word.parse().map_err(|_| "requester")?,
        };
        let scope = match scope {
            "" => NoticeScope::ALL.to_vec(),
            words => words
                .split([',', ';', ' '])
                .filter(|w| !w.is_empty())
                .map(|w| w.parse().map_err(|_| "scope"))
                .collect::<Result<_, _>>()?,
        };
        Ok(OptOut { patient: patient_of(patient)?, requester, scope, date: date_of(date)?, because: None })
    })
}

/// Writes contacts as [`read_contacts`] reads them.
///
/// # Errors
/// As of writing.
pub fn write_contacts<'a>(writer: impl Write, contacts: impl IntoIterator<Item = &'a Contact>) -> Result<(), PackageError> {
    let mut csv = csv::Writer::from_writer(writer);
    csv.write_record(CONTACTS_HEADER).map_err(csv_io)?;
    for c in contacts {
        csv.write_record([c.patient.as_str(), &c.date.to_string(), &c.addressee, &c.method]).map_err(csv_io)?;
    }
    Ok(csv.flush()?)
}

/// Name of the column of a list that travels in which [`OptOut::because`] stands.
pub const BECAUSE: &str = "because";

/// Writes opt-outs as [`read_opt_outs`] reads them, and with a fifth column where [`OptOut::because`] says something.
///
/// # Errors
/// As of writing.
pub fn write_opt_outs<'a>(writer: impl Write, opt_outs: impl IntoIterator<Item = &'a OptOut>) -> Result<(), PackageError> {
    let mut csv = csv::Writer::from_writer(writer);
    let opt_outs: Vec<&OptOut> = opt_outs.into_iter().collect();
    let more = opt_outs.iter().any(|o| o.because.is_some());
    csv.write_record(OPT_OUTS_HEADER.into_iter().chain(more.then_some(BECAUSE))).map_err(csv_io)?;
    for o in opt_outs {
        let scope = o.scope.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(",");
        let (date, because) = (o.date.to_string(), o.because.as_deref().unwrap_or_default());
        let row = [o.patient.as_str(), o.requester.as_str(), &scope, &date];
        csv.write_record(row.into_iter().chain(more.then_some(because))).map_err(csv_io)?;
    }
    Ok(csv.flush()?)
}

fn csv_io(error: csv::Error) -> PackageError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error.into(),
        _ => PackageError::Io(std::io::Error::other("a row that CSV cannot hold")),
    }
}

/// What a line lacks that has not the four fields of its list, or a first line that is not its header.
fn form(header: [&str; 4]) -> &'static str {
    if header == CONTACTS_HEADER { "form-contacts" } else { "form-opt-outs" }
}

fn rows<T>(
    list: &str,
    reader: impl Read,
    header: [&str; 4],
    parse: impl Fn([&str; 4]) -> Result<T, &'static str>,
) -> Result<Vec<T>, PackageError> {
    let wrong = |line, what| PackageError::ListMalformed { list: list.to_owned(), line, what };
    let mut limited = reader.take(LARGEST_LIST + 1);
    let mut csv = csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(&mut limited);
    let mut record = csv::StringRecord::new();
    let mut out = Vec::new();
    let mut first = true;
    loop {
        let line = csv.position().line();
        match csv.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => match error.into_kind() {
                csv::ErrorKind::Io(error) => return Err(error.into()),
                _ => return Err(wrong(line, "no-csv")),
            },
        }
        let line = record.position().map_or(line, |p| p.line());
        let fields: Vec<&str> = record.iter().collect();
        let Ok(mut row): Result<[&str; 4], _> = fields.try_into() else {
            return Err(wrong(line, form(header)));
        };
        if first {
            row[0] = row[0].trim_start_matches('\u{feff}').trim_matches('"');
            if row != header {
                return Err(wrong(line, form(header)));
            }
            first = false;
            continue;
        }
        if row.iter().any(|f| f.chars().count() > LONGEST_FIELD) {
            return Err(wrong(line, "long-field"));
        }
        out.push(parse(row).map_err(|what| wrong(line, what))?);
    }
    drop(csv);
    if first {
        return Err(wrong(1, form(header)));
    }
    if limited.limit() == 0 {
        return Err(wrong(0, "long-list"));
    }
    Ok(out)
}

fn patient_of(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err("no-patient");
    }
    // Nobody would be found under it, and somebody may have said no under it. Hospitals' rules differ in leading zeros alone.
    match terms::PatientIdRule::Text.canonical(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("patient"),
    }
}

/// `2024-04-01` or `20240401`.
fn date_of(text: &str) -> Result<Date, &'static str> {
    const WRONG: &str = "date";
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let plain = text.len() == 8 || (text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-');
    if !plain || digits.len() != 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(WRONG);
    }
    let number = |range: std::ops::Range<usize>| digits[range].parse::<i16>().map_err(|_| WRONG);
    Date::new(number(0..4)?, number(4..6)? as i8, number(6..8)? as i8).map_err(|_| WRONG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_as_people_write_them() {
        let text = "\u{feff}patient,requester,scope,date\r\n0000000123,person,\"anonymized,pseudonymized\",2024-05-01\r\n 77 ,,,20240502\r\n";
        let rows = read_opt_outs("opt-outs.csv", text.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1].patient, "77");
        assert!(rows[1].requester == Requester::Person && rows[1].scope == NoticeScope::ALL && rows[0].scope == rows[1].scope);
        let mut out = Vec::new();
        write_opt_outs(&mut out, &rows).expect("into memory");
        assert!(read_opt_outs("again", out.as_slice()).is_ok_and(|again| again == rows));

        let contacts =
            read_contacts("contacts.csv", "patient,date,addressee,method\n123,2024-04-01,本人,\"来院時, 掲示\"\n".as_bytes())
                .unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(contacts[0].method, "来院時, 掲示");
        let mut out = Vec::new();
        write_contacts(&mut out, &contacts).expect("into memory");
        assert!(read_contacts("again", out.as_slice()).is_ok_and(|again| again == contacts));
    }

    #[test]
    fn a_list_that_cannot_be_understood_is_refused_with_its_line_and_without_its_content() {
        for (text, line) in [
            ("", 1),
            ("patient,scope,requester,date\n", 1),
            ("patient,requester,scope,date\n123,person,anonymized\n", 2),
            ("patient,requester,scope,date\n123,person,everything,2024-05-01\n", 2),
            ("patient,requester,scope,date\n123,person,,2024-05-01\n123,somebody,,2024-05-01\n", 3),
            ("patient,requester,scope,date\n123,person,,2024-02-30\n", 2),
            ("patient,requester,scope,date\n123,person,,1.5.2024\n", 2),
            ("patient,requester,scope,date\n,person,,2024-05-01\n", 2),
        ] {
            match read_opt_outs("opt-outs.csv", text.as_bytes()) {
                Err(error) => {
                    let message = error.to_string();
                    assert!(message.contains(&format!("line {line}:")) && !message.contains("123"), "{text:?}: {message}");
                }
                Ok(_) => panic!("{text:?} was read"),
            }
        }
        assert!(read_opt_outs("list", &b"patient,requester,scope,date\n\xff\xfe,person,,2024-05-01\n"[..]).is_err());
    }

    #[test]
    fn whatever_the_bytes_a_list_ends_without_panic() {
        bolero::check!().with_type::<Vec<u8>>().for_each(|bytes| {
            let _ = read_contacts("list", bytes.as_slice());
            let _ = read_opt_outs("list", [b"patient,requester,scope,date\n", bytes.as_slice()].concat().as_slice());
        });
    }
}
