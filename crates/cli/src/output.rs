//! What goes to standard output: JSON as it came, or tables for people.

use serde_json::Value;
use std::io::{self, Write};

/// Longest cell of a table, in characters; longer ones are cut.
const CELL_CHARS_MAX: usize = 60;

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

/// Rows under headings, columns aligned.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        let headings = headings.iter().map(|text| (*text).to_owned()).collect();
        Self {
            rows: vec![headings],
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows
            .push(cells.into_iter().map(|cell| one_line(&cell)).collect());
    }

    /// Whether there is nothing under the headings.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() <= 1
    }

    /// The table as text.
    pub(crate) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                let padding = width.saturating_sub(cell.chars().count()) + 2;
                line.extend(std::iter::repeat_n(' ', padding));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Text on one line, without anything that could drive a terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

/// The same, of bounded length.
fn one_line(text: &str) -> String {
    let clean = clean(text);
    if clean.chars().count() <= CELL_CHARS_MAX {
        return clean;
    }
    let mut cut: String = clean.chars().take(CELL_CHARS_MAX - 1).collect();
    cut.push('…');
    cut
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
    fn columns_are_aligned_and_lines_end_in_no_space() {
        let mut table = Table::new(&["code", "n"]);
        table.row(["GCM-05a".to_owned(), "1".to_owned()]);
        table.row(["é".to_owned(), "22".to_owned()]);
        assert_eq!(table.render(), "code     n\nGCM-05a  1\né        22\n");
    }

    #[test]
    fn a_cell_is_one_bounded_line_that_cannot_drive_the_terminal() {
        assert_eq!(one_line("a\n\u{1b}[31mb"), "a  [31mb");
        let cut = one_line(&"x".repeat(100));
        assert_eq!(cut.chars().count(), CELL_CHARS_MAX);
        assert!(cut.ends_with('…'));
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
