//! HL7 v2.5 messages as text: segments that end in CR, fields counted as the standard counts them.

use std::fmt::{self, Write};

/// A message under construction.
#[derive(Default)]
pub struct Message {
    text: String,
}

impl Message {
    /// Begins anew in the same memory.
    pub fn clear(&mut self) {
        self.text.clear();
    }

    /// The text so far, each segment closed by CR.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Appends segments that were written before.
    pub fn raw(&mut self, segments: &str) {
        self.text.push_str(segments);
    }

    /// A new segment; it ends when the returned value is dropped.
    pub fn segment(&mut self, name: &str) -> Segment<'_> {
        self.text.push_str(name);
        Segment { text: &mut self.text, at: 0 }
    }
}

/// A segment under construction: fields in ascending order, those left out stay empty.
pub struct Segment<'a> {
    text: &'a mut String,
    at: usize,
}

impl Segment<'_> {
    fn go(&mut self, field: usize) {
        while self.at < field {
            self.text.push('|');
            self.at += 1;
        }
    }

    /// A field. What is written must not hold delimiters except as components.
    pub fn put(mut self, field: usize, value: &str) -> Self {
        self.go(field);
        self.text.push_str(value);
        self
    }

    /// A field from `format_args!`.
    pub fn fmt(mut self, field: usize, value: fmt::Arguments<'_>) -> Self {
        self.go(field);
        // Writing to a String does not fail.
        let _ = self.text.write_fmt(value);
        self
    }
}

impl Drop for Segment<'_> {
    fn drop(&mut self) {
        self.text.push('\r');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_where_the_standard_counts_them() {
        let mut message = Message::default();
        message.segment("PV1").put(1, "0001").put(2, "O").fmt(7, format_args!("{}^{}", "D1", "医師"));
        message.segment("PV2");
        assert_eq!(message.text(), "PV1|0001|O|||||D1^医師\rPV2\r");
    }
}
