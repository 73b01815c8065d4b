//! Makes row types, column builders and field tables from the CSV definition of OMOP CDM v5.4 and from the
//! definition of what Azekura adds to it, so that no column is typed by hand anywhere.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// The OMOP tables that Azekura fills, in the order in which they are shown. The rest of the model (vocabulary,
/// eras, cohorts) is made by tools that work on the delivered tables.
const KEPT: &[&str] = &[
    "person",
    "observation_period",
    "visit_occurrence",
    "visit_detail",
    "condition_occurrence",
    "drug_exposure",
    "procedure_occurrence",
    "device_exposure",
    "measurement",
    "observation",
    "death",
    "note",
    "specimen",
    "location",
    "care_site",
    "provider",
    "payer_plan_period",
    "cost",
];

struct Field {
    name: String,
    required: bool,
    kind: &'static str,
    guidance: String,
}

/// Integer columns of the model: concept ids fit in 32 bits, everything else may be one of our 63-bit ids.
fn kind_of(table: &str, name: &str, datatype: &str) -> &'static str {
    let datatype = datatype.to_ascii_lowercase();
    match datatype.as_str() {
        "integer" if name.ends_with("concept_id") => "Int32",
        "integer" if name.ends_with("_id") => "Int64",
        "integer" => "Int32",
        "bigint" => "Int64",
        "date" => "Date32",
        "datetime" => "Timestamp",
        "float" => "Float64",
        "boolean" => "Boolean",
        "binary" => "Binary",
        text if text.starts_with("varchar") => "Utf8",
        other => panic!("{table}.{name} has the unknown data type {other}"),
    }
}

fn camel(name: &str) -> String {
    name.split('_').map(|w| w[..1].to_uppercase() + &w[1..]).collect()
}

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("set by cargo");
    let mut tables: Vec<(String, bool, Vec<Field>, Vec<Field>)> =
        KEPT.iter().map(|t| ((*t).to_owned(), true, Vec::new(), Vec::new())).collect();
    let mut index: BTreeMap<String, usize> = KEPT.iter().enumerate().map(|(i, t)| ((*t).to_owned(), i)).collect();
    for (file, platform) in [("cdm54_field_level.csv", false), ("platform_fields.csv", true)] {
        let path = Path::new(&root).join("data").join(file);
        println!("cargo:rerun-if-changed={}", path.display());
        let mut reader = csv::Reader::from_path(&path).expect("a definition");
        let head = reader.headers().expect("a header").clone();
        let at = |name: &str| head.iter().position(|h| h == name).expect("a known column");
        let (table, name, required, datatype, guidance) =
            (at("cdmTableName"), at("cdmFieldName"), at("isRequired"), at("cdmDatatype"), at("userGuidance"));
        for row in reader.records() {
            let row = row.expect("a row");
            let slot = match index.get(&row[table]) {
                Some(i) => *i,
                None if platform => {
                    tables.push((row[table].to_owned(), false, Vec::new(), Vec::new()));
                    index.insert(row[table].to_owned(), tables.len() - 1);
                    tables.len() - 1
                }
                None => continue,
            };
            let field = Field {
                name: row[name].to_owned(),
                required: &row[required] == "Yes",
                kind: kind_of(&row[table], &row[name], &row[datatype]),
                guidance: row[guidance].split(". ").next().unwrap_or_default().replace(['\n', '\r', '[', ']'], " "),
            };
            if platform { tables[slot].3.push(field) } else { tables[slot].2.push(field) }
        }
    }

    let mut out = String::new();
    let names: Vec<String> = tables.iter().map(|t| camel(&t.0)).collect();
    writeln!(out, "/// The tables of the lake: those of OMOP CDM v5.4 that Azekura fills, then its own.").unwrap();
    writeln!(out, "#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]\npub enum Table {{").unwrap();
    for (name, table) in names.iter().zip(&tables) {
        writeln!(out, "    /// `{}`\n    {name},", table.0).unwrap();
    }
    writeln!(
        out,
        "}}\nimpl Table {{\n    /// Every table.\n    pub const ALL: &'static [Table] = &[{}];",
        names.iter().map(|n| format!("Table::{n}")).collect::<Vec<_>>().join(", ")
    )
    .unwrap();
    writeln!(
        out,
        "    /// Name as in SQL and in file names.\n    pub const fn name(self) -> &'static str {{ match self {{ {} }} }}",
        names.iter().zip(&tables).map(|(n, t)| format!("Table::{n} => {:?}", t.0)).collect::<Vec<_>>().join(", ")
    )
    .unwrap();
    writeln!(
        out,
        "    /// Whether the table is one of OMOP CDM v5.4.\n    pub const fn is_omop(self) -> bool {{ match self {{ {} }} }}",
        names.iter().zip(&tables).map(|(n, t)| format!("Table::{n} => {}", t.1)).collect::<Vec<_>>().join(", ")
    )
    .unwrap();
    for (function, doc, which) in [
        ("omop_fields", "Columns as OMOP CDM v5.4 has them, in its order; empty for our own tables.", 2),
        ("own_fields", "Columns that Azekura adds.", 3),
    ] {
        writeln!(out, "    /// {doc}\n    pub const fn {function}(self) -> &'static [FieldDef] {{ match self {{").unwrap();
        for (name, table) in names.iter().zip(&tables) {
            let fields = if which == 2 { &table.2 } else { &table.3 };
            let list: Vec<String> = fields
                .iter()
                .map(|f| {
                    format!(
                        "FieldDef {{ name: {:?}, kind: Kind::{}, required: {}, guidance: {:?} }}",
                        f.name, f.kind, f.required, f.guidance
                    )
                })
                .collect();
            writeln!(out, "        Table::{name} => &[{}],", list.join(", ")).unwrap();
        }
        writeln!(out, "    }} }}").unwrap();
    }
    writeln!(out, "}}").unwrap();

    for (name, table) in names.iter().zip(&tables) {
        let fields: Vec<&Field> = table.2.iter().chain(&table.3).filter(|f| f.name != "person_id").collect();
        let borrows = fields.iter().any(|f| f.kind == "Utf8" || f.kind == "Binary");
        let life = if borrows { "<'a>" } else { "" };
        let anon = if borrows { "<'_>" } else { "" };
        writeln!(out, "/// One row of `{}`. Dates are days, times microseconds since 1970-01-01 local time.\n#[derive(Clone, Copy, Default)]\npub struct {name}Row{life} {{", table.0).unwrap();
        for f in &fields {
            let ty = match f.kind {
                "Int32" | "Date32" => "i32",
                "Int64" | "Timestamp" => "i64",
                "Float64" => "f64",
                "Boolean" => "bool",
                "Binary" => "&'a [u8]",
                _ => "&'a str",
            };
            let ty = if f.required { ty.to_owned() } else { format!("Option<{ty}>") };
            let doc =
                if f.guidance.trim().is_empty() || f.guidance == "NA" { format!("`{}`", f.name) } else { f.guidance.clone() };
            writeln!(out, "    #[doc = {doc:?}]\n    pub {}: {ty},", f.name).unwrap();
        }
        writeln!(out, "}}\n/// Columns of `{}` being filled, row by row.\n#[derive(Default)]\npub struct {name}Columns {{ head: HeadColumns,", table.0).unwrap();
        for f in &fields {
            writeln!(out, "    {}: {},", f.name, builder(f.kind)).unwrap();
        }
        writeln!(out, "}}\nimpl {name}Columns {{\n    /// Adds a row.\n    pub fn push(&mut self, head: &Head<'_>, row: &{name}Row{anon}) {{\n        self.head.push(head);").unwrap();
        for f in &fields {
            let verb = if f.required { "append_value" } else { "append_option" };
            writeln!(out, "        self.{0}.{verb}(row.{0});", f.name).unwrap();
        }
        writeln!(out, "    }}\n    /// Number of rows waiting.\n    pub fn len(&self) -> usize {{ self.head.len() }}\n    /// Whether no row waits.\n    pub fn is_empty(&self) -> bool {{ self.head.len() == 0 }}").unwrap();
        writeln!(out, "    /// Takes the rows out as a batch of [`Table::candidate_schema`]; the columns are empty afterwards.\n    pub fn finish(&mut self) -> RecordBatch {{\n        let mut columns = self.head.finish();").unwrap();
        for f in &fields {
            writeln!(out, "        columns.push(Arc::new(self.{}.finish()));", f.name).unwrap();
        }
        writeln!(out, "        batch(Table::{name}, columns)\n    }}\n}}").unwrap();
    }

    writeln!(
        out,
        "/// Columns of every table, being filled: what a reader writes its rows into.\n#[derive(Default)]\npub struct Columns {{"
    )
    .unwrap();
    for (name, table) in names.iter().zip(&tables) {
        writeln!(out, "    /// Rows of `{0}`.\n    pub {0}: {name}Columns,", table.0).unwrap();
    }
    writeln!(out, "}}\nimpl Columns {{\n    /// Rows waiting in all tables.\n    pub fn len(&self) -> usize {{ {} }}\n    /// Whether no row waits.\n    pub fn is_empty(&self) -> bool {{ self.len() == 0 }}",
        tables.iter().map(|t| format!("self.{}.len()", t.0)).collect::<Vec<_>>().join(" + ")).unwrap();
    writeln!(out, "    /// Takes all rows out, one batch a table that has any.\n    pub fn finish(&mut self) -> Vec<(Table, RecordBatch)> {{\n        let mut out = Vec::new();").unwrap();
    for (name, table) in names.iter().zip(&tables) {
        writeln!(out, "        if !self.{0}.is_empty() {{ out.push((Table::{name}, self.{0}.finish())); }}", table.0).unwrap();
    }
    writeln!(out, "        out\n    }}\n}}").unwrap();

    let target = Path::new(&env::var("OUT_DIR").expect("set by cargo")).join("tables.rs");
    fs::write(target, out).expect("the output directory is writable");
}

fn builder(kind: &str) -> &'static str {
    match kind {
        "Int32" => "Int32Builder",
        "Int64" => "Int64Builder",
        "Float64" => "Float64Builder",
        "Date32" => "Date32Builder",
        "Timestamp" => "TimestampMicrosecondBuilder",
        "Boolean" => "BooleanBuilder",
        "Binary" => "BinaryBuilder",
        _ => "StringBuilder",
    }
}
