//! The data types of the storage, their messages, and the field that their care date is taken from.

use super::location::Location;

/// What a file of a data type is mapped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// ADT-00.
    Basics,
    /// ADT-01.
    AttendingDoctor,
    /// ADT-12, 22, 31, 32, 42, 52: an event word of `visit_event`.
    Visit(&'static str),
    /// ADT-21, 41, 51: what is planned makes no row.
    Planned,
    /// ADT-61.
    Allergies,
    /// PPR-01.
    Diagnoses,
    /// OMD.
    Diet,
    /// OMP-01.
    Prescription,
    /// OMP-02.
    InjectionOrder,
    /// OMP-11.
    Dispensing,
    /// OMP-12.
    Administration,
    /// OML-01, OMG-01, 02, 03: orders make no row of their own; what they state of the patient does.
    Order,
    /// OML-11.
    LabResult,
    /// OMG-11, 12.
    Procedure,
    /// OMG-13.
    Physiology,
    /// Extended storage, ORU^R30.
    Vitals,
}

/// A data type.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// `OMP-01`.
    pub name: &'static str,
    /// Mapping.
    pub subject: Subject,
    /// Message code and trigger event of its messages.
    pub message: (&'static str, &'static str),
    /// Trigger event of its cancellation, where it has one of its own.
    pub cancel: Option<&'static str>,
    /// Segment and field of the care date.
    pub care_date: Option<(&'static [u8; 3], usize)>,
}

const fn kind(
    name: &'static str,
    subject: Subject,
    message: (&'static str, &'static str),
    cancel: Option<&'static str>,
    care_date: Option<(&'static [u8; 3], usize)>,
) -> Kind {
    Kind { name, subject, message, cancel, care_date }
}

const ALL: &[Kind] = &[
    kind("ADT-00", Subject::Basics, ("ADT", "A08"), Some("A23"), None),
    kind("ADT-01", Subject::AttendingDoctor, ("ADT", "A54"), Some("A55"), None),
    kind("ADT-12", Subject::Visit("reception"), ("ADT", "A04"), None, Some((b"PV1", 44))),
    kind("ADT-21", Subject::Planned, ("ADT", "A14"), Some("A27"), Some((b"PV2", 8))),
    kind("ADT-22", Subject::Visit("admission"), ("ADT", "A01"), Some("A11"), Some((b"PV1", 44))),
    kind("ADT-31", Subject::Visit("leave"), ("ADT", "A21"), Some("A52"), Some((b"EVN", 6))),
    kind("ADT-32", Subject::Visit("return"), ("ADT", "A22"), Some("A53"), Some((b"EVN", 6))),
    kind("ADT-41", Subject::Planned, ("ADT", "A15"), Some("A26"), Some((b"PV2", 8))),
    kind("ADT-42", Subject::Visit("transfer"), ("ADT", "A02"), Some("A12"), Some((b"EVN", 6))),
    kind("ADT-51", Subject::Planned, ("ADT", "A16"), Some("A25"), Some((b"PV2", 9))),
    kind("ADT-52", Subject::Visit("discharge"), ("ADT", "A03"), Some("A13"), Some((b"PV1", 45))),
    kind("ADT-61", Subject::Allergies, ("ADT", "A60"), None, None),
    kind("PPR-01", Subject::Diagnoses, ("PPR", "ZD1"), None, None),
    kind("OMD", Subject::Diet, ("OMD", "O03"), None, Some((b"ORC", 9))),
    kind("OMP-01", Subject::Prescription, ("RDE", "O11"), None, Some((b"ORC", 9))),
    kind("OMP-11", Subject::Dispensing, ("RAS", "O17"), None, Some((b"RXA", 3))),
    kind("OMP-02", Subject::InjectionOrder, ("RDE", "O11"), None, Some((b"ORC", 9))),
    kind("OMP-12", Subject::Administration, ("RAS", "O17"), None, Some((b"RXA", 3))),
    kind("OML-01", Subject::Order, ("OML", "O33"), None, Some((b"ORC", 9))),
    kind("OML-11", Subject::LabResult, ("OUL", "R22"), None, Some((b"SPM", 17))),
    kind("OMG-01", Subject::Order, ("OMG", "O19"), None, Some((b"ORC", 9))),
    kind("OMG-11", Subject::Procedure, ("OMI", "Z23"), None, Some((b"OBR", 7))),
    kind("OMG-02", Subject::Order, ("OMG", "O19"), None, Some((b"ORC", 9))),
    kind("OMG-12", Subject::Procedure, ("OMI", "Z23"), None, Some((b"OBR", 7))),
    kind("OMG-03", Subject::Order, ("OMG", "O19"), None, Some((b"ORC", 9))),
    kind("OMG-13", Subject::Physiology, ("ORU", "R01"), None, Some((b"OBR", 7))),
];

/// Observations of the extended storage.
const VITALS: Kind = kind("ORU", Subject::Vitals, ("ORU", "R30"), None, None);

impl Kind {
    /// The data type of a file; `None` for names that the specification does not have. In the extended storage every
    /// HL7 file is taken for observations.
    pub fn of(location: &Location<'_>) -> Option<Kind> {
        if location.extended {
            return Some(VITALS);
        }
        ALL.iter().copied().find(|k| k.name == location.kind)
    }
}

/// Segments that the messages of the storage have; any other is reported. Insurance of a diagnosis (ZI1), teeth (ZPD),
/// exposures (ZE2), image links (IPC) and next of kin (NK1) are known and make no row.
pub const fn is_known(id: &[u8; 3]) -> bool {
    matches!(
        id,
        b"MSH"
            | b"EVN"
            | b"PID"
            | b"PD1"
            | b"PV1"
            | b"PV2"
            | b"NK1"
            | b"DB1"
            | b"OBX"
            | b"AL1"
            | b"IN1"
            | b"IN2"
            | b"IAM"
            | b"PRB"
            | b"ZPR"
            | b"ZPD"
            | b"NTE"
            | b"ZI1"
            | b"ORC"
            | b"TQ1"
            | b"ODS"
            | b"RXE"
            | b"RXR"
            | b"RXC"
            | b"RXA"
            | b"SPM"
            | b"OBR"
            | b"IPC"
            | b"ZE1"
            | b"ZE2"
            | b"DSC"
    )
}

/// Whether any data type has messages of this code (MSH-9.1).
pub fn is_message(code: &str) -> bool {
    ALL.iter().chain([&VITALS]).any(|k| k.message.0 == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_type_of_the_fact_sheet_is_there_once() {
        let mut names: Vec<&str> = ALL.iter().map(|k| k.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 26);
    }
}
