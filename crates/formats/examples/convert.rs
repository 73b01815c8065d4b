//! Converts a storage (a directory or a tar) into CSV files: `convert PATH OUT_DIR`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(path), Some(out)) = (args.next(), args.next()) else {
        return Err("usage: convert PATH OUT_DIR".into());
    };
    let summary = formats::convert(terms::SourceKind::Ssmix2, path.as_ref(), out.as_ref(), messages::Lang::En)?;
    println!("{}", serde_json::to_string_pretty(&summary)?);
    Ok(())
}
