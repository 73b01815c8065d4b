//! How long it takes to load masters of the usual size (27 000 diseases, 20 000 drugs, 10 000 acts …) with invented rows, and to ask for
//! a hundred thousand codes: `cargo run --release -p masters --example masters_rate`.

use std::time::Instant;

use masters::{Kind, Masters, Resolver, read_as};
use omop::Table;

fn file(letter: &str, columns: usize, rows: usize, code: (usize, u32, usize), dates: usize) -> Vec<u8> {
    let (column, first, width) = code;
    let mut text = String::new();
    for number in 0..rows as u32 {
        for at in 1..=columns {
            let value = match at {
                1 => "0".to_owned(),
                2 => letter.to_owned(),
                5..=7 | 10 => format!("架空の名{number}"),
                at if at == column => format!("{:0width$}", first + number),
                11 => format!("{:08}", 29_000_000 + number),
                13 => format!("Q{number:03X}"),
                16 => format!("E{:03}", number % 1_000),
                at if at == dates => "99999999".to_owned(),
                _ => "0".to_owned(),
            };
            let mark = if at == columns { "\r\n" } else { "," };
            text.push_str(&format!("\"{value}\"{mark}"));
        }
    }
    encoding_rs::SHIFT_JIS.encode(&text).0.into_owned()
}

fn main() {
    let files = [
        (Kind::Disease, file("B", 46, 27_000, (3, 8_000_000, 7), 24)),
        (Kind::Modifier, file("Z", 19, 2_400, (3, 1_000, 4), 16)),
        (Kind::Drug, file("Y", 39, 20_000, (3, 620_000_000, 9), 31)),
        (Kind::Act, file("S", 150, 10_000, (3, 150_000_000, 9), 88)),
        (Kind::Device, file("T", 38, 1_350, (3, 710_000_000, 9), 30)),
        (Kind::Comment, file("C", 30, 3_900, (23, 810_000_000, 9), 22)),
    ];
    let start = Instant::now();
    let mut masters = Masters::new();
    for (kind, bytes) in &files {
        let edition = read_as(*kind, 19_800, bytes).expect("rows of the right form");
        masters.add(edition).expect("one edition of each kind");
    }
    println!("loaded {} bytes in {:?}", files.iter().map(|(_, b)| b.len()).sum::<usize>(), start.elapsed());
    let resolver = Resolver { masters, ..Resolver::default() };
    let codes: Vec<String> = (0..100_000u32).map(|n| format!("{}", 8_000_000 + n % 30_000)).collect();
    let start = Instant::now();
    let known = codes.iter().filter(|code| {
        let found = resolver.resolve(Table::ConditionOccurrence, "condition_source_value", code, 19_900);
        found.is_some_and(|concepts| concepts.icd10.is_some())
    });
    println!("{} of {} codes known in {:?}", known.count(), codes.len(), start.elapsed());
}
