//! One XML document of a checkup archive → facts.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::charset::Charset;
use crate::written::Scribe;

/// Elements within elements before a document is refused.
const DEEPEST: usize = 64;
/// Items of one document.
const MOST_ITEMS: usize = 20_000;

/// Why a document cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A document type declaration, or an entity that only one could declare.
    #[error("the document has a document type declaration; such documents are refused")]
    Doctype,
    /// Too deep, or too many items.
    #[error("the document is nested too deeply or has too many items")]
    Depth,
    /// Not well formed, or cut off.
    #[error("the document is not well-formed XML, or it is cut off")]
    Malformed,
}

/// What kind of document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Root {
    /// A person's document.
    Clinical,
    /// The index of an archive.
    Index,
    /// A settlement or its summary.
    Settlement,
    /// Anything else.
    #[default]
    Other,
}

/// An observation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Item<'a> {
    /// Item code, 17 characters.
    pub code: Cow<'a, str>,
    /// PQ, CD, CO, ST.
    pub kind: Cow<'a, str>,
    /// Value or code or text.
    pub value: Option<Cow<'a, str>>,
    /// Unit.
    pub unit: Option<Cow<'a, str>>,
    /// Answer set: the last part of the code system.
    pub value_set: Option<Cow<'a, str>>,
    /// L, H, N.
    pub interpretation: Option<Cow<'a, str>>,
    /// Method.
    pub method: Option<Cow<'a, str>>,
    /// Reference range.
    pub range: (Option<Cow<'a, str>>, Option<Cow<'a, str>>),
    /// Not done.
    pub negated: bool,
    /// Why there is no value.
    pub null_flavor: Option<Cow<'a, str>>,
    /// Whether it only holds others together.
    pub group: bool,
}

/// Facts of a document. It names a person: no `Debug`.
#[derive(Default)]
pub struct Document<'a> {
    /// What it is.
    pub root: Root,
    /// 報告区分.
    pub report: Option<Cow<'a, str>>,
    /// 健診プログラム.
    pub programme: Option<Cow<'a, str>>,
    /// Identifiers of the patient: last part of the root, extension.
    pub ids: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Name, as written.
    pub name: String,
    /// 1, 2.
    pub sex: Option<Cow<'a, str>>,
    /// YYYYMMDD.
    pub birth: Option<Cow<'a, str>>,
    /// Postal code.
    pub postal: String,
    /// Address.
    pub address: String,
    /// Day of the examination.
    pub date: Option<Cow<'a, str>>,
    /// Date of the file.
    pub made: Option<Cow<'a, str>>,
    /// Institution, ten digits.
    pub institution: Option<Cow<'a, str>>,
    /// Observations.
    pub items: Vec<Item<'a>>,
    /// Records that an index says there are.
    pub total: Option<u64>,
}

impl Document<'_> {
    /// Whether it says no more than a document can.
    fn is_bounded(&self) -> bool {
        self.items.len() <= MOST_ITEMS && self.ids.len() <= MOST_ITEMS
    }
}

/// Bytes as text: UTF-8 as it must be, UTF-16 by its mark, else what the bytes are whatever the declaration says.
pub fn text_of(bytes: &[u8]) -> (Cow<'_, str>, Option<Charset>) {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => return (Cow::Owned(UTF_16LE.decode_without_bom_handling(rest).0.into_owned()), None),
        [0xFE, 0xFF, rest @ ..] => return (Cow::Owned(UTF_16BE.decode_without_bom_handling(rest).0.into_owned()), None),
        _ => {}
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (Cow::Borrowed(text), None);
    }
    // Read line by line, so that a document that is UTF-8 but for one field stays that.
    let mut scribe = Scribe::of(bytes);
    let found = scribe.charset();
    let parts: Vec<String> = bytes.split_inclusive(|b| *b == b'>').map(|part| scribe.text(part).into_owned()).collect();
    (Cow::Owned(parts.concat()), Some(found))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tag {
    Document,
    PatientRole,
    Patient,
    Address,
    Postal,
    Name,
    Author,
    Performer,
    Organization,
    ServiceEvent,
    Participant,
    Observation,
    Value,
    ObservationRange,
    RangeValue,
    Related,
    Index,
    Other,
}

/// `xsi:type`, by whatever prefix the namespace of XML Schema has in the document.
fn typed<'a>(element: &BytesStart<'_>) -> Result<Option<Cow<'a, str>>, Fault> {
    for other in element.attributes().with_checks(false) {
        let key = other.map_err(|_| Fault::Malformed)?.key;
        if key.prefix().is_some() && key.local_name().as_ref() == b"type" {
            return attribute(element, key.as_ref());
        }
    }
    Ok(None)
}

fn attribute<'a>(element: &BytesStart<'_>, name: &[u8]) -> Result<Option<Cow<'a, str>>, Fault> {
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| Fault::Malformed)?;
        if attribute.key.as_ref() == name {
            let value = std::str::from_utf8(&attribute.value).map_err(|_| Fault::Malformed)?;
            if memchr::memchr(b'&', value.as_bytes()).is_none() {
                return Ok(Some(Cow::Owned(value.to_owned())));
            }
            let plain = quick_xml::escape::unescape(value).map_err(|_| Fault::Doctype)?;
            return Ok(Some(Cow::Owned(plain.into_owned())));
        }
    }
    Ok(None)
}

fn last_part(oid: &str) -> &str {
    oid.rsplit('.').next().unwrap_or(oid)
}

fn last_of(oid: Cow<'_, str>) -> Cow<'_, str> {
    match oid {
        Cow::Borrowed(text) => Cow::Borrowed(last_part(text)),
        Cow::Owned(text) => Cow::Owned(last_part(&text).to_owned()),
    }
}

/// Reads a document.
///
/// # Errors
/// [`Fault`] when it is refused or cannot be read to its end; nothing of it is to be used then.
pub fn read_document(text: &str) -> Result<Document<'_>, Fault> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut document = Document::default();
    let mut path: Vec<Tag> = Vec::with_capacity(16);
    // Observations that are open: inner ones come before outer ones in the list.
    let mut open: Vec<Item<'_>> = Vec::new();
    let mut rooted = false;
    loop {
        match reader.read_event().map_err(|_| Fault::Malformed)? {
            Event::Start(element) => {
                if path.is_empty() && rooted {
                    return Err(Fault::Malformed);
                }
                rooted = true;
                let tag = begin(&element, &path, &mut document, &mut open)?;
                path.push(tag);
                if path.len() > DEEPEST || open.len() > DEEPEST || !document.is_bounded() {
                    return Err(Fault::Depth);
                }
            }
            Event::Empty(element) => {
                if path.is_empty() {
                    return Err(Fault::Malformed);
                }
                let tag = begin(&element, &path, &mut document, &mut open)?;
                end(tag, &mut document, &mut open);
                if !document.is_bounded() {
                    return Err(Fault::Depth);
                }
            }
            Event::End(_) => {
                let tag = path.pop().ok_or(Fault::Malformed)?;
                end(tag, &mut document, &mut open);
            }
            Event::Text(text) => {
                if let Some(tag) = path.last().filter(|t| matches!(t, Tag::Name | Tag::Postal | Tag::Address | Tag::Value)) {
                    let text = text.unescape().map_err(|_| Fault::Doctype)?;
                    content(*tag, &text, &mut document, &mut open);
                } else if memchr::memchr(b'&', &text).is_some() {
                    text.unescape().map_err(|_| Fault::Doctype)?;
                }
            }
            Event::CData(data) => {
                if let (Some(tag), Ok(text)) = (path.last(), std::str::from_utf8(&data)) {
                    content(*tag, text, &mut document, &mut open);
                }
            }
            Event::DocType(_) => return Err(Fault::Doctype),
            Event::Eof => {
                return if rooted && path.is_empty() { Ok(document) } else { Err(Fault::Malformed) };
            }
            _ => {}
        }
    }
}

/// Whether a document is an XML Schema from its first element to its end.
pub fn is_schema(text: &str) -> bool {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let (mut depth, mut rooted) = (0usize, false);
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                if depth == 0 && (rooted || !is_schema_root(&element)) {
                    return false;
                }
                rooted = true;
                depth += 1;
            }
            Ok(Event::Empty(_)) if depth == 0 => return false,
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Eof) => return rooted && depth == 0,
            Ok(Event::DocType(_)) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

/// `schema` of the namespace of XML Schema, by whatever prefix.
fn is_schema_root(element: &BytesStart<'_>) -> bool {
    let name = element.name();
    let namespace = name.prefix().map_or(b"xmlns".to_vec(), |prefix| [b"xmlns:", prefix.as_ref()].concat());
    let stated = attribute(element, &namespace).ok().flatten();
    name.local_name().as_ref() == b"schema" && stated.is_some_and(|uri| uri == "http://www.w3.org/2001/XMLSchema")
}

fn content(tag: Tag, text: &str, document: &mut Document<'_>, open: &mut [Item<'_>]) {
    match tag {
        Tag::Name => document.name.push_str(text),
        Tag::Postal => document.postal.push_str(text),
        Tag::Address => document.address.push_str(text),
        Tag::Value => {
            if let Some(item) = open.last_mut().filter(|i| i.kind == "ST") {
                let mut value = item.value.take().unwrap_or_default().into_owned();
                value.push_str(text);
                item.value = Some(Cow::Owned(value));
            }
        }
        _ => {}
    }
}

fn begin<'a>(
    element: &BytesStart<'a>,
    path: &[Tag],
    document: &mut Document<'a>,
    open: &mut Vec<Item<'a>>,
) -> Result<Tag, Fault> {
    let name = element.local_name();
    let parent = path.last().copied();
    let tag = match (name.as_ref(), parent) {
        (b"ClinicalDocument", None) => {
            document.root = Root::Clinical;
            Tag::Document
        }
        (b"index", None) => {
            document.root = Root::Index;
            Tag::Index
        }
        (b"summary" | b"claim" | b"checkupClaim" | b"guidanceClaim", None) => {
            document.root = Root::Settlement;
            Tag::Other
        }
        (b"totalRecordCount", Some(Tag::Index)) => {
            document.total = attribute(element, b"value")?.and_then(|v| v.parse().ok());
            Tag::Other
        }
        (b"patientRole", _) => Tag::PatientRole,
        (b"patient", Some(Tag::PatientRole)) => Tag::Patient,
        (b"addr", Some(Tag::PatientRole)) => Tag::Address,
        (b"postalCode", Some(Tag::Address)) => Tag::Postal,
        (b"name", Some(Tag::Patient)) => Tag::Name,
        (b"author", _) => Tag::Author,
        (b"performer", _) => Tag::Performer,
        (b"participant", _) => Tag::Participant,
        (b"serviceEvent", _) => Tag::ServiceEvent,
        (b"representedOrganization", _) => Tag::Organization,
        (b"id", Some(Tag::PatientRole)) => {
            if let (Some(root), Some(extension)) = (attribute(element, b"root")?, attribute(element, b"extension")?) {
                document.ids.push((last_of(root), extension));
            }
            Tag::Other
        }
        (b"id", Some(Tag::Organization)) if !path.contains(&Tag::Observation) => {
            // Who examined counts; who wrote the file stands in.
            let examined = path.contains(&Tag::Performer);
            let is_ours = attribute(element, b"root")?.is_some_and(|r| last_part(&r) == "102");
            if is_ours && (examined || document.institution.is_none()) {
                document.institution = attribute(element, b"extension")?;
            }
            Tag::Other
        }
        (b"administrativeGenderCode", Some(Tag::Patient)) => {
            document.sex = attribute(element, b"code")?;
            Tag::Other
        }
        (b"birthTime", Some(Tag::Patient)) => {
            document.birth = attribute(element, b"value")?;
            Tag::Other
        }
        (b"code", Some(Tag::Document)) => {
            document.report = attribute(element, b"code")?;
            Tag::Other
        }
        (b"code", Some(Tag::ServiceEvent)) => {
            document.programme = attribute(element, b"code")?;
            Tag::Other
        }
        (b"effectiveTime", Some(Tag::ServiceEvent)) => {
            document.date = attribute(element, b"value")?;
            Tag::Other
        }
        (b"effectiveTime", Some(Tag::Document)) => {
            document.made = attribute(element, b"value")?;
            Tag::Other
        }
        (b"observation", _) => {
            let negated = attribute(element, b"negationInd")?.is_some_and(|n| n == "true");
            open.push(Item { negated, ..Item::default() });
            Tag::Observation
        }
        (b"entryRelationship", _) => Tag::Related,
        (b"observationRange", Some(_)) => Tag::ObservationRange,
        (b"value", Some(Tag::ObservationRange)) => Tag::RangeValue,
        (name @ (b"low" | b"high"), Some(Tag::RangeValue)) => {
            let value = attribute(element, b"value")?;
            if let Some(item) = open.last_mut() {
                let slot = if name == b"low" { &mut item.range.0 } else { &mut item.range.1 };
                *slot = value;
            }
            Tag::Other
        }
        (name, Some(Tag::Observation)) => return of_observation(name, element, open),
        _ => Tag::Other,
    };
    Ok(tag)
}

fn of_observation<'a>(name: &[u8], element: &BytesStart<'a>, open: &mut [Item<'a>]) -> Result<Tag, Fault> {
    let Some(item) = open.last_mut() else {
        return Ok(Tag::Other);
    };
    match name {
        b"code" => {
            match attribute(element, b"code")? {
                Some(code) => item.code = code,
                None => item.group = attribute(element, b"nullFlavor")?.is_some(),
            }
            Ok(Tag::Other)
        }
        b"value" => {
            let kind = typed(element)?.unwrap_or_default();
            item.value = if matches!(&*kind, "CD" | "CO") { attribute(element, b"code")? } else { attribute(element, b"value")? };
            item.unit = attribute(element, b"unit")?;
            item.value_set = attribute(element, b"codeSystem")?.map(last_of);
            item.null_flavor = attribute(element, b"nullFlavor")?;
            item.kind = kind;
            Ok(Tag::Value)
        }
        b"interpretationCode" => {
            item.interpretation = attribute(element, b"code")?;
            Ok(Tag::Other)
        }
        b"methodCode" => {
            item.method = attribute(element, b"code")?;
            Ok(Tag::Other)
        }
        _ => Ok(Tag::Other),
    }
}

fn end<'a>(tag: Tag, document: &mut Document<'a>, open: &mut Vec<Item<'a>>) {
    if tag == Tag::Observation
        && let Some(item) = open.pop()
    {
        document.items.push(item);
    }
}
