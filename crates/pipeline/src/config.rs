//! `azekura.toml`: one commented file an instance. Unknown keys are refused, so that a misspelt safeguard is not a
//! safeguard that silently does not stand.

use serde::Deserialize;

use crate::assemble::Precedence;

/// The file that `azekura init` writes.
pub const TEMPLATE: &str = include_str!("azekura.toml");

/// Settings of an instance.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who runs it.
    pub producer: Producer,
    /// Notices and waiting periods.
    pub notice: Notice,
    /// What comes in.
    pub intake: Intake,
    /// What is kept.
    pub lake: LakeSettings,
    /// Whether what comes in can be used.
    #[serde(default)]
    pub quality: Quality,
    /// Which of several sources counts.
    #[serde(default)]
    pub history: Precedence,
    /// Which records are one person.
    #[serde(default)]
    pub linkage: Linkage,
    /// What leaves.
    pub release: Release,
}

/// Whether what comes in can be used.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Whether a package is held back of which a check says that it is not to be used.
    pub gate: bool,
    /// Rules of the instance's own beside the shipped ones, a file within the instance; none when empty.
    #[serde(default)]
    pub rules: String,
}

impl Default for Quality {
    fn default() -> Self {
        Quality { gate: true, rules: String::new() }
    }
}

/// Which records are one person.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linkage {
    /// Clerks who have to say that two records are one person before it holds.
    pub clerks_to_join: u8,
    /// Clerks who have to say that two records are two persons before it holds.
    pub clerks_to_part: u8,
}

impl Default for Linkage {
    fn default() -> Self {
        let linkage::Rule { to_join, to_part } = linkage::Rule::default();
        Linkage { clerks_to_join: to_join, clerks_to_part: to_part }
    }
}

impl Linkage {
    /// The rule for clerks' words.
    pub fn rule(&self) -> linkage::Rule {
        linkage::Rule { to_join: self.clerks_to_join, to_part: self.clerks_to_part }
    }
}

/// Who runs the instance.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Producer {
    /// Name in certificates, manifests and the journal's origin.
    pub name: String,
}

/// Notices and waiting periods.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Days between a person's notice and the first provision of that person's data (control NOT-01).
    pub wait_days: u32,
    /// The recorded legal basis for a waiting period under 30 days.
    #[serde(default)]
    pub shorter_wait_basis: String,
}

/// What comes in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// Days after which a package that was taken in is destroyed.
    pub package_retention_days: u32,
    /// MiB of source bytes that are read before the rows are written.
    pub chunk_mib: u64,
}

/// What is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LakeSettings {
    /// Files of one table and provider above which they are merged after a commit.
    pub compact_above_files: usize,
}

/// What leaves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Members who have to take part in a review (control RVW-06 has at least five on a committee).
    pub review_members: usize,
    /// The largest share of persons of an anonymized data set who may stand, beside the anonymized ones that its recipient has or is to get,
    /// with fewer than `k` in the same classes of all; beyond it nothing is made that its profile does not put beside them.
    #[serde(default)]
    pub most_joined: f64,
}

impl Config {
    /// Reads the text of an `azekura.toml`.
    ///
    /// # Errors
    /// The place and the reason, in one line, when the text is not valid or a value is out of its range.
    pub fn parse(text: &str) -> Result<Config, String> {
        let config: Config = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(0, |s| text[..s.start.min(text.len())].lines().count().max(1));
            format!("line {line}: {}", e.message().replace('\n', " "))
        })?;
        if config.notice.wait_days < 30 && config.notice.shorter_wait_basis.trim().is_empty() {
            return Err("notice.wait_days under 30 needs the legal basis in notice.shorter_wait_basis".to_owned());
        }
        if config.intake.package_retention_days > 3_650 {
            return Err("intake.package_retention_days must be at most 3650".to_owned());
        }
        if config.release.review_members == 0 {
            return Err("release.review_members must be at least 1: nothing is made without a review".to_owned());
        }
        if !(0.0..=1.0).contains(&config.release.most_joined) {
            return Err("release.most_joined must be a share between 0 and 1".to_owned());
        }
        if [config.linkage.clerks_to_join, config.linkage.clerks_to_part].iter().any(|n| !(1..=9).contains(n)) {
            return Err("linkage.clerks_to_join and linkage.clerks_to_part must be between 1 and 9".to_owned());
        }
        if !(1..=1024).contains(&config.intake.chunk_mib) {
            return Err("intake.chunk_mib must be between 1 and 1024".to_owned());
        }
        if config.producer.name.trim().is_empty() || config.producer.name.contains(['/', '+', '\n']) {
            return Err("producer.name must not be empty or hold '/', '+' or a line break".to_owned());
        }
        config.history.check()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_valid_and_says_thirty_days() {
        assert_eq!(Config::parse(TEMPLATE).expect("valid").notice.wait_days, 30);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let text = TEMPLATE.replace("wait_days = 30", "wait_dayz = 30");
        let error = Config::parse(&text).expect_err("refused");
        assert!(error.contains("wait_dayz") && error.starts_with("line "), "{error}");
    }

    #[test]
    fn an_order_of_sources_names_each_once_and_no_other() {
        assert_eq!(Config::parse(TEMPLATE).expect("valid").history, Precedence::default());
        let shipped = "drugs = [\"chart\", \"fhir\", \"dpc\", \"claims\"]";
        let with = |drugs: &str| Config::parse(&TEMPLATE.replace(shipped, &format!("drugs = [{drugs}]")));
        assert_ne!(with("\"claims\", \"chart\", \"fhir\", \"dpc\"").expect("valid").history, Precedence::default());
        for wrong in [
            "\"chart\", \"fhir\", \"dpc\"",
            "\"chart\", \"chart\", \"dpc\", \"claims\"",
            "\"chart\", \"fhir\", \"dpc\", \"claim\"",
        ] {
            assert!(with(wrong).is_err(), "{wrong}");
        }
    }

    // control: NOT-01
    #[test]
    fn a_waiting_period_under_thirty_days_needs_its_legal_basis() {
        let short = TEMPLATE.replace("wait_days = 30", "wait_days = 7");
        assert!(Config::parse(&short).is_err());
        let with = short.replace("shorter_wait_basis = \"\"", "shorter_wait_basis = \"part V, 2\"");
        assert_eq!(Config::parse(&with).expect("valid").notice.wait_days, 7);
    }
}
