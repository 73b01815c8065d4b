use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that is none of the words the law or the format knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what}; known are: {known}")]
pub struct UnknownTerm {
    /// What was to be named.
    pub what: &'static str,
    /// The words there are.
    pub known: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            /// The identifier of the glossary.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownTerm;
            fn from_str(text: &str) -> Result<Self, UnknownTerm> {
                match text {
                    $($word => Ok($name::$variant),)+
                    _ => Err(UnknownTerm { what: $what, known: [$($word),+].join(", ") }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(
    /// What leaves the house, in law. The words are the release classes of the glossary, and the two lists that go with a linkable data set
    /// (連結に必要な情報): they are no data sets of anybody's care, but leave by the same door.
    ReleaseKind, "kind of data set" {
        /// 匿名加工医療情報
        Anonymized = "anonymized",
        /// 連結可能匿名加工医療情報
        LinkableAnonymized = "linkable_anonymized",
        /// 仮名加工医療情報
        Pseudonymized = "pseudonymized",
        /// 行政機関等匿名加工情報 (local governments; 非識別加工情報 being the older name)
        NonIdentifying = "non_identifying",
        /// 連結に必要な情報: who is in a linkable data set, for the body that keeps the history of insured numbers. Identified, nothing clinical.
        LinkageQuery = "linkage_query",
        /// 連結キー that the body gave back, for whoever has the linkable data set.
        LinkageKeys = "linkage_keys",
    }
);

words!(
    /// What a notice or an opt-out covers.
    NoticeScope, "scope" {
        /// Providing for anonymized medical information.
        Anonymized = "anonymized",
        /// Providing for pseudonymized medical information.
        Pseudonymized = "pseudonymized",
    }
);

impl ReleaseKind {
    /// The scope of notice that a person must have had for this kind of data set.
    pub const fn needed_scope(self) -> NoticeScope {
        match self {
            ReleaseKind::Pseudonymized => NoticeScope::Pseudonymized,
            ReleaseKind::Anonymized
            | ReleaseKind::LinkableAnonymized
            | ReleaseKind::NonIdentifying
            | ReleaseKind::LinkageQuery
            | ReleaseKind::LinkageKeys => NoticeScope::Anonymized,
        }
    }

    /// Whether nobody in it may be identified, which classes of equal people have to prove.
    pub const fn is_anonymized(self) -> bool {
        matches!(self, ReleaseKind::Anonymized | ReleaseKind::LinkableAnonymized | ReleaseKind::NonIdentifying)
    }
}

words!(
    /// The class under whose key an asset is sealed. Classes never share a key.
    AssetClass, "asset class" {
        /// The identity vault: names, birth dates, addresses, insurance, local patient ids.
        Identity = "identity",
        /// The source bytes as the provider kept them.
        Source = "source",
        /// OMOP rows by record: nothing in them says who.
        Clinical = "clinical",
        /// Findings about what was received: file names can name people.
        Findings = "findings",
        /// Which records are one person.
        Linkage = "linkage",
        /// Data sets before they are delivered.
        Dataset = "dataset",
        /// Processing-method information and id tables, more strictly kept.
        Method = "method",
        /// Packages as received, sealed by the sender.
        Package = "package",
    }
);

words!(
    /// Whether information is about identified people, and how far it has been treated.
    InformationKind, "kind of information" {
        /// 医療情報 as received.
        Medical = "medical_info",
        /// 仮名加工医療情報
        Pseudonymized = "pseudonymized",
        /// 匿名加工医療情報
        Anonymized = "anonymized",
    }
);

words!(
    /// Who asks that provision stop.
    Requester, "requester" {
        /// 本人
        Person = "person",
        /// Guardian of a minor or of a person unable to judge.
        Guardian = "guardian",
        /// Proxy with a mandate.
        Proxy = "proxy",
        /// 遺族
        Bereaved = "bereaved",
    }
);

words!(
    /// The format in which a provider sends.
    SourceKind, "kind of payload" {
        /// SS-MIX2 standardized storage (標準化ストレージ).
        Ssmix2 = "ssmix2",
        /// HL7 FHIR R4: NDJSON and bundles.
        Fhir = "fhir",
        /// DPC survey files (DPC導入の影響評価に係る調査).
        Dpc = "dpc",
        /// Electronic claims (レセプト電算処理).
        Receipt = "receipt",
        /// Specific health checkups (特定健診) and other files of checkups.
        Checkup = "checkup",
    }
);

words!(
    /// Administrative sex as a registration states it (HL7 table 0001, what Japanese institutions use of it).
    Sex, "sex" {
        /// M
        Male = "male",
        /// F
        Female = "female",
        /// O
        Other = "other",
        /// U, N, A, empty, or none of the table.
        Unknown = "unknown",
    }
);
