use super::Delimiters;

/// Resolves the escapes of HL7 v2.5 chapter 2.7: `\F\ \S\ \T\ \R\ \E\`, `\.br\` and the other formatting commands,
/// `\Xhh..\`, highlighting (dropped) and character set escapes (dropped: the decoder has seen to them). The flag says
/// that something stood there that is no escape, such as a Windows path; it stays as it is.
pub fn unescape(text: &str, delimiters: Delimiters) -> (String, bool) {
    let escape = delimiters.escape as char;
    let mut out = String::with_capacity(text.len());
    let mut stray = false;
    let mut rest = text;
    while let Some(at) = rest.find(escape) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let inner = &from[1..];
        let Some(end) = inner.find(escape) else {
            stray = true;
            out.push_str(from);
            return (out, stray);
        };
        let command = &inner[..end];
        if resolve(command, delimiters, &mut out) {
            rest = &inner[end + 1..];
        } else {
            // Not an escape: the second escape character may open one itself.
            stray = true;
            out.push(escape);
            out.push_str(command);
            rest = &inner[end..];
        }
    }
    out.push_str(rest);
    (out, stray)
}

fn resolve(command: &str, delimiters: Delimiters, out: &mut String) -> bool {
    match command {
        "F" => out.push(delimiters.field as char),
        "S" => out.push(delimiters.component as char),
        "T" => out.push(delimiters.subcomponent as char),
        "R" => out.push(delimiters.repetition as char),
        "E" => out.push(delimiters.escape as char),
        "H" | "N" => {}
        ".br" | ".ce" | ".nf" | ".fi" => out.push('\n'),
        _ => return by_prefix(command, out),
    }
    true
}

fn by_prefix(command: &str, out: &mut String) -> bool {
    let Some(first) = command.bytes().next().filter(|_| command.is_ascii()) else {
        return false;
    };
    let rest = &command[1..];
    let hex = !rest.is_empty() && rest.len().is_multiple_of(2) && rest.bytes().all(|b| b.is_ascii_hexdigit());
    match first {
        b'X' if hex => {
            let bytes: Vec<u8> =
                (0..rest.len()).step_by(2).filter_map(|i| u8::from_str_radix(&rest[i..i + 2], 16).ok()).collect();
            out.push_str(&String::from_utf8_lossy(&bytes));
            true
        }
        b'C' if hex && rest.len() == 4 => true,
        b'M' if hex && (rest.len() == 4 || rest.len() == 6) => true,
        b'.' => {
            let (name, number) = rest.split_at(rest.len().min(2));
            let number = number.trim_start_matches(['+', '-']);
            let known = matches!(name, "sp" | "in" | "ti" | "sk") && number.bytes().all(|b| b.is_ascii_digit());
            match (known, name) {
                (true, "sp") => out.push_str(&"\n".repeat(number.parse::<usize>().unwrap_or(1).clamp(1, 20))),
                (true, "sk") => out.push_str(&" ".repeat(number.parse::<usize>().unwrap_or(1).clamp(1, 20))),
                _ => {}
            }
            known
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        unescape(text, Delimiters::default()).0
    }

    #[test]
    fn escapes_give_back_delimiters_lines_and_bytes() {
        assert_eq!(plain(r"a\F\b\S\c\T\d\R\e\E\f"), r"a|b^c&d~e\f");
        assert_eq!(plain(r"a\.br\b\.sp2\c"), "a\nb\n\nc");
        assert_eq!(plain(r"\X41E38182\"), "Aあ");
        assert_eq!(plain(r"\H\bold\N\\C2842\\M244242\"), "bold");
    }

    #[test]
    fn what_is_no_escape_stays_and_is_reported() {
        for text in [r"C:\data\new.txt", r"\100", r"\X4\", r"\漢\", r"\"] {
            let (out, stray) = unescape(text, Delimiters::default());
            assert_eq!(out, text);
            assert!(stray);
        }
        assert_eq!(unescape(r"C:\dir\E\x", Delimiters::default()), (r"C:\dir\x".to_owned(), true));
    }
}
