//! Converts files (a directory, a file, a tar) into CSV files: `convert PATH OUT_DIR [FORMAT]`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(path), Some(out)) = (args.next(), args.next()) else {
        return Err("usage: convert PATH OUT_DIR [FORMAT]".into());
    };
    let from = args.next().map(|f| f.to_string_lossy().parse()).transpose()?;
    let summary = formats::convert(from, path.as_ref(), out.as_ref(), messages::Lang::En)?;
    println!("{}", serde_json::to_string_pretty(&summary)?);
    Ok(())
}
