//! What was kept of Athena's files, written so that it can be read again without them.

use std::io::{BufRead, Write};

use super::{Concept, Vocabulary};
use crate::error::MasterError;
use crate::text::Stream;

/// What stands above it.
const HEADER: &str = "azekura-concepts\t1";

impl Vocabulary {
    /// Writes concepts, codes and `Maps to`; not the operator's map, which is a file of its own. The same vocabulary gives the same bytes.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_concepts(&self, mut to: impl Write) -> std::io::Result<()> {
        writeln!(to, "{HEADER}")?;
        let mut concepts: Vec<_> = self.concepts.iter().collect();
        concepts.sort_unstable_by_key(|(id, _)| **id);
        for (id, concept) in concepts {
            let domain = &self.domains[concept.domain as usize];
            writeln!(to, "c\t{id}\t{domain}\t{}", u8::from(concept.standard))?;
        }
        let mut codes: Vec<(&str, &str, i32)> = self
            .codes
            .iter()
            .flat_map(|(vocabulary, codes)| codes.iter().map(move |(c, id)| (&**vocabulary, &**c, *id)))
            .collect();
        codes.sort_unstable();
        for (vocabulary, code, id) in codes {
            writeln!(to, "k\t{vocabulary}\t{code}\t{id}")?;
        }
        let mut maps: Vec<_> = self.maps_to.iter().flat_map(|(from, to)| to.iter().map(move |t| (*from, *t))).collect();
        maps.sort_unstable();
        for (from, target) in maps {
            writeln!(to, "m\t{from}\t{target}")?;
        }
        to.flush()
    }

    /// Reads what [`Vocabulary::write_concepts`] wrote.
    ///
    /// # Errors
    /// [`MasterError`] by line: what is spoilt gives no concepts.
    pub fn read_kept(reader: impl BufRead) -> Result<Vocabulary, MasterError> {
        let mut vocabulary = Vocabulary::new();
        let mut stream = Stream::new(reader);
        match stream.next_line()? {
            Some((_, HEADER)) => {}
            _ => return Err(MasterError::Header { column: "azekura-concepts" }),
        }
        let mut domains = std::collections::HashMap::new();
        while let Some((number, line)) = stream.next_line()? {
            let wrong = |column: &'static str| MasterError::NoColumn { line: number, column };
            let mut cells = line.split('\t');
            let mut cell = |column: &'static str| cells.next().ok_or_else(|| wrong(column));
            let id = |text: &str, column: &'static str| text.parse::<i32>().map_err(|_| wrong(column));
            match cell("kind")? {
                "c" => {
                    let concept = id(cell("concept_id")?, "concept_id")?;
                    let name = cell("domain_id")?;
                    let next = vocabulary.domains.len() as u32;
                    let domain = *domains.entry(name.to_owned()).or_insert(next);
                    if domain == next {
                        vocabulary.domains.push(name.into());
                    }
                    let standard = cell("standard")? == "1";
                    vocabulary.concepts.insert(concept, Concept { domain, standard });
                }
                "k" => {
                    let (name, code) = (cell("vocabulary_id")?, cell("concept_code")?);
                    let concept = id(cell("concept_id")?, "concept_id")?;
                    vocabulary.sources.insert(concept);
                    vocabulary.codes.entry(name.into()).or_default().insert(code.into(), concept);
                }
                "m" => {
                    let from = id(cell("concept_id_1")?, "concept_id_1")?;
                    let target = id(cell("concept_id_2")?, "concept_id_2")?;
                    vocabulary.maps_to.entry(from).or_default().push(target);
                }
                _ => return Err(wrong("kind")),
            }
        }
        Ok(vocabulary)
    }
}
