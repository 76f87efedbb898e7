//! What goes to standard output: JSON as it came, or tables for people.

mod table;

use serde_json::Value;
use std::io::{self, Write};

pub(crate) use table::Table;

/// How to print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// JSON instead of tables.
    pub(crate) json: bool,
}

/// Writes bytes as they are.
pub(crate) fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|error| {
        let what = format!("standard output cannot be written: {error}");
        io::Error::new(error.kind(), what)
    })
}

/// Writes JSON as it came, and ends the line.
pub(crate) fn json_line(json: &[u8]) -> io::Result<()> {
    write(&[json, b"\n"].concat())
}

/// Writes text.
pub(crate) fn text(text: &str) -> io::Result<()> {
    write(text.as_bytes())
}

/// Says something beside the output, on standard error. That nobody hears it is no reason to end.
pub(crate) fn say(what: impl std::fmt::Display) {
    writeln!(io::stderr().lock(), "{what}").unwrap_or_default();
}

/// Text on one line, without anything that could drive a terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

/// A JSON value within another as a person reads it: texts without quotes, nothing for null or absent.
pub(crate) fn shown(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(|item| shown(item, "")).collect();
            items.join(" ")
        }
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_))) => other.to_string(),
    }
}

/// Whether a JSON value within another is true.
pub(crate) fn is_true(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer) == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_line_that_cannot_drive_the_terminal() {
        assert_eq!(clean("a\n\u{1b}[31mb"), "a  [31mb");
    }

    #[test]
    fn values_are_shown_as_people_read_them() {
        let value = serde_json::json!({"a": "x", "b": ["y", "z"], "c": null, "d": 3});
        assert_eq!(shown(&value, "/a"), "x");
        assert_eq!(shown(&value, "/b"), "y z");
        assert_eq!(shown(&value, "/c"), "");
        assert_eq!(shown(&value, "/d"), "3");
        assert_eq!(shown(&value, "/e"), "");
    }
}
