//! Lines of a file of records as an editor counts them.

/// A record may have several lines, and those that are empty are none.
pub struct Counted<'t> {
    text: &'t str,
    line: u64,
    /// Up to where lines are counted.
    byte: usize,
}

impl<'t> Counted<'t> {
    /// Nothing of a text is counted yet.
    pub fn new(text: &'t str) -> Self {
        Counted { text, line: 1, byte: 0 }
    }

    /// Line of the record that was asked for last.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The line on which a record of the text begins. Records are asked for in their order.
    pub fn line_of(&mut self, row: &csv::StringRecord) -> u64 {
        let bytes = self.text.as_bytes();
        let place = row.position().map_or(0, csv::Position::byte);
        let after_last = usize::try_from(place).unwrap_or(usize::MAX).clamp(self.byte, bytes.len());
        // A record's place is behind the one before it: empty lines between them come first.
        let empty = bytes[after_last..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let begin = after_last + empty;
        self.line += bytes[self.byte..begin].iter().filter(|b| **b == b'\n').count() as u64;
        self.byte = begin;
        self.line
    }
}
