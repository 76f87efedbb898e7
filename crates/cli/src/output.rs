//! What goes to standard output: JSON as it came, or tables for people.

mod table;

use crate::failure::Failure;
use serde::Serialize;
use std::io::{self, Write};

pub(crate) use table::Table;

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

/// An answer as JSON with its fields in the order of their names.
pub(crate) fn sorted_json(answer: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let value = serde_json::to_value(answer);
    let json = value.and_then(|value| serde_json::to_vec(&value));
    json.map_err(|error| Failure::failed(&error))
}

/// Writes text.
pub(crate) fn text(text: &str) -> io::Result<()> {
    write(text.as_bytes())
}

/// Says something beside the output, on standard error: texts in it are [clean], its lines stay. That nobody hears it is no reason to end.
pub(crate) fn say(what: impl std::fmt::Display) {
    let what = what.to_string();
    let lines: Vec<String> = what.lines().map(clean).collect();
    say_as_it_is(lines.join("\n"));
}

/// The same for what programs read, or is in colours.
pub(crate) fn say_as_it_is(what: impl std::fmt::Display) {
    writeln!(io::stderr().lock(), "{what}").unwrap_or_default();
}

/// Text on one line, without anything that could drive a terminal, turn the direction of what stands beside it, or hide in it.
pub(crate) fn clean(text: &str) -> String {
    text.chars().filter_map(seen).collect()
}

/// A letter as it is shown, nothing for a mark of direction or of where a line may be broken: keyboards for Arabic and Hebrew type the former between words, and
/// without them a text turns nothing beside it. What joins letters or parts them, as some scripts need, stays.
fn seen(letter: char) -> Option<char> {
    let shown = match letter {
        // Direction; and where a line may be broken, or not: between the words of Khmer, Thai or Lao, within a long word.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' => {
            return None;
        }
        '\u{2028}' | '\u{2029}' => ' ',
        // Embeddings, overrides and isolates; operators that are not seen, marks of annotation, tags.
        '\u{180e}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2061}'..='\u{206f}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => UNSEEN,
        letter if letter.is_control() => ' ',
        letter => letter,
    };
    Some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_line_that_cannot_drive_the_terminal() {
        assert_eq!(clean("a\n\u{1b}[31mb"), "a  [31mb");
        assert_eq!(clean("a\u{2028}b\u{85}c"), "a b c");
    }

    #[test]
    fn nothing_in_a_cell_hides_or_turns_what_stands_beside_it() {
        for unseen in ['\u{202e}', '\u{202a}', '\u{2066}', '\u{2069}', '\u{e0041}'] {
            assert_eq!(clean(&format!("a{unseen}b")), "a\u{fffd}b", "{unseen:?}");
        }
        for mark in [
            '\u{200e}', '\u{200f}', '\u{61c}', '\u{200b}', '\u{feff}', '\u{ad}',
        ] {
            assert_eq!(clean(&format!("a{mark} {mark}b{mark}")), "a b", "{mark:?}");
        }
        let needed = "\u{6cc}\u{200c}\u{647} \u{928}\u{200d} é";
        assert_eq!(clean(needed), needed, "some scripts join and part letters");
    }
}
