use super::{Attribute, Lattice};
use crate::metrics::{Costs, Metric};
use crate::models::{Models, Sensitive};
use crate::risk::population::Population;
use crate::table::{Field, Groups, Hierarchy, Key};

/// The question of a search, with columns in the order in which the search goes through them.
#[derive(Debug)]
pub struct Problem<K> {
    /// Quasi-identifiers, those first whose values say most.
    pub attributes: Vec<Attribute>,
    /// Place of each in the table.
    pub places: Vec<usize>,
    /// Distinct rows, with the sensitive value where there is one.
    pub base: Groups<K>,
    /// Where the sensitive code stands.
    pub sensitive_field: Option<Field>,
    /// The sensitive column.
    pub sensitive: Option<Sensitive>,
    /// What must be met.
    pub models: Models,
    /// What is lost.
    pub costs: Costs,
    /// Records.
    pub rows: u64,
    /// Records that may be suppressed.
    pub allowed: u64,
    /// Sample and population, where a model needs them.
    pub population: Option<Population>,
    /// The lattice.
    pub lattice: Lattice,
    /// Entropy in nats of each column at each level: how much classes still differ by it.
    pub entropies: Vec<Vec<f64>>,
}

/// What a problem is made of.
#[derive(Debug)]
pub struct Parts<'a> {
    /// Hierarchies in the order of the table, with the field of each.
    pub columns: Vec<(&'a Hierarchy, Field)>,
    /// The sensitive column and its field.
    pub sensitive: Option<(Sensitive, Field)>,
    /// What must be met.
    pub models: Models,
    /// What is lost.
    pub metric: Metric,
    /// Records that may be suppressed.
    pub allowed: u64,
    /// Sample and population.
    pub population: Option<Population>,
}

impl<K: Key> Problem<K> {
    /// From distinct rows, each once, in the order of their first record.
    pub fn new(base: Groups<K>, parts: Parts<'_>) -> Self {
        let attributes: Vec<Attribute> = parts.columns.iter().map(|(h, f)| Attribute::new(h, *f)).collect();
        let leaf_counts = Self::leaf_counts(&base, &attributes);
        let rows: u64 = base.counts.iter().map(|c| u64::from(*c)).sum();
        let entropy = |counts: &[u64]| -> f64 {
            let p = counts.iter().filter(|c| **c > 0).map(|c| *c as f64 / rows.max(1) as f64);
            -p.map(|p| p * p.ln()).sum::<f64>()
        };
        let entropies: Vec<Vec<f64>> = attributes
            .iter()
            .zip(&leaf_counts)
            .map(|(a, c)| (0..a.levels()).map(|l| entropy(&a.counts_at(l, c))).collect())
            .collect();
        // Columns whose values say most come first: what is made for their levels is small and serves all others' levels.
        let mut places: Vec<usize> = (0..attributes.len()).collect();
        places.sort_by(|a, b| entropies[*b][0].total_cmp(&entropies[*a][0]).then(a.cmp(b)));
        let pick = |v: &[Vec<f64>]| places.iter().map(|p| v[*p].clone()).collect::<Vec<_>>();
        let entropies = pick(&entropies);
        let leaf_counts: Vec<Vec<u64>> = places.iter().map(|p| leaf_counts[*p].clone()).collect();
        let attributes: Vec<Attribute> = places.iter().map(|p| attributes[*p].clone()).collect();
        let costs = Costs::new(parts.metric, &attributes, &leaf_counts, &Self::quasi_counts(&base, &attributes));
        let lattice = Lattice::new(attributes.iter().map(|a| a.levels() as u8).collect());
        let (sensitive, sensitive_field) = parts.sensitive.map_or((None, None), |(s, f)| (Some(s), Some(f)));
        let mut models = parts.models;
        models.resolve(parts.population);
        Self {
            attributes,
            places,
            base,
            sensitive_field,
            sensitive,
            models,
            costs,
            rows,
            allowed: parts.allowed,
            population: parts.population,
            lattice,
            entropies,
        }
    }

    /// The same question about some neighbouring columns alone, of rows that differ in no others.
    pub(super) fn narrowed(
        &self,
        base: Groups<K>,
        columns: std::ops::Range<usize>,
        models: Models,
        sensitive_field: Option<Field>,
    ) -> Self {
        let attributes = self.attributes[columns.clone()].to_vec();
        let leaf_counts = Self::leaf_counts(&base, &attributes);
        let original = Self::quasi_counts(&base, &attributes);
        Self {
            costs: Costs::new(self.costs.metric(), &attributes, &leaf_counts, &original),
            lattice: Lattice::new(attributes.iter().map(|a| a.levels() as u8).collect()),
            places: (0..attributes.len()).collect(),
            attributes,
            base,
            sensitive_field,
            sensitive: self.sensitive.clone().filter(|_| sensitive_field.is_some()),
            models,
            rows: self.rows,
            allowed: self.allowed,
            population: self.population,
            entropies: self.entropies[columns].to_vec(),
        }
    }

    /// Records of each leaf, by column.
    fn leaf_counts(base: &Groups<K>, attributes: &[Attribute]) -> Vec<Vec<u64>> {
        let of = |a: &Attribute| {
            let mut counts = vec![0u64; a.values(0)];
            for (key, count) in base.keys.iter().zip(&base.counts) {
                counts[key.get(a.field) as usize] += u64::from(*count);
            }
            counts
        };
        attributes.iter().map(of).collect()
    }

    /// Records of each distinct row of quasi-identifiers, without regard to sensitive values.
    fn quasi_counts(base: &Groups<K>, attributes: &[Attribute]) -> Vec<u32> {
        let mask = attributes.iter().fold(K::ZERO, |m, a| m.or(K::mask(a.field)));
        if base.keys.iter().all(|k| k.without(mask) == K::ZERO) {
            return base.counts.clone();
        }
        let mut counts = std::collections::BTreeMap::new();
        for (key, count) in base.keys.iter().zip(&base.counts) {
            *counts.entry(key.without(key.without(mask))).or_insert(0u32) += count;
        }
        counts.into_values().collect()
    }

    /// A node's levels in the order of the table.
    pub fn in_table_order(&self, node: &[u8]) -> Vec<u8> {
        let mut levels = vec![0; node.len()];
        for (level, place) in node.iter().zip(&self.places) {
            levels[*place] = *level;
        }
        levels
    }

    /// A bound on the number of groups at a node.
    pub fn most_groups(&self, node: &[u8]) -> u64 {
        let sensitive = self.sensitive.as_ref().map_or(1, |s| s.shares.len() as u64);
        let values = node.iter().zip(&self.attributes).map(|(l, a)| a.values(*l as usize) as u64);
        values.fold(sensitive, u64::saturating_mul)
    }
}
