//! What goes to standard output: JSON as it came, or tables for people.

use serde_json::Value;
use std::io::{self, IsTerminal as _, Write};

/// Longest cell of a table, in characters; longer ones are cut.
const CELL_CHARS_MAX: usize = 60;

/// What stands for a letter that nobody would see, so that it is seen that there was one.
const UNSEEN: char = '\u{fffd}';

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
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    /// Where cells are cut, in characters.
    cell_chars_max: usize,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        let headings = headings.iter().map(|text| (*text).to_owned()).collect();
        Self {
            rows: vec![headings],
            cell_chars_max: CELL_CHARS_MAX,
        }
    }

    /// The same of what is to be read in full: its cells are cut on a terminal only, where a longer one would break the columns.
    pub(crate) fn in_full(headings: &[&str]) -> Self {
        let mut table = Self::new(headings);
        if !io::stdout().is_terminal() {
            table.cell_chars_max = usize::MAX;
        }
        table
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter();
        self.rows.push(
            cells
                .map(|cell| one_line(&cell, self.cell_chars_max))
                .collect(),
        );
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

/// Text on one line, without anything that could drive a terminal, turn the direction of what stands beside it, or hide in it.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(seen).collect()
}

/// A letter as it is shown. What joins letters or parts them, as some scripts need, stays.
fn seen(letter: char) -> char {
    match letter {
        '\u{2028}' | '\u{2029}' => ' ',
        // Soft hyphen and spaces without width; marks of direction, embeddings, overrides and isolates; operators that are not seen, marks of
        // byte order and annotation, tags.
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => UNSEEN,
        letter if letter.is_control() => ' ',
        letter => letter,
    }
}

/// The same, of bounded length.
fn one_line(text: &str, chars_max: usize) -> String {
    let clean = clean(text);
    if clean.chars().count() <= chars_max {
        return clean;
    }
    let mut cut: String = clean.chars().take(chars_max.saturating_sub(1)).collect();
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
        assert_eq!(one_line("a\n\u{1b}[31mb", 60), "a  [31mb");
        assert_eq!(one_line("a\u{2028}b\u{85}c", 60), "a b c");
        let cut = one_line(&"x".repeat(100), 60);
        assert_eq!(cut.chars().count(), 60);
        assert!(cut.ends_with('…'));
    }

    #[test]
    fn nothing_in_a_cell_hides_or_turns_what_stands_beside_it() {
        for unseen in [
            '\u{202e}',
            '\u{202a}',
            '\u{2066}',
            '\u{2069}',
            '\u{200f}',
            '\u{200b}',
            '\u{feff}',
            '\u{ad}',
            '\u{e0041}',
        ] {
            assert_eq!(clean(&format!("a{unseen}b")), "a\u{fffd}b", "{unseen:?}");
        }
        let needed = "\u{6cc}\u{200c}\u{647} \u{928}\u{200d} é";
        assert_eq!(clean(needed), needed, "some scripts join and part letters");
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
