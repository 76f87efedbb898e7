//! Reads commands from a file: JSON lines, or a JSON array.

use std::io::{self, BufRead, Read as _};

use bytes::Bytes;

use crate::lines::Line;

/// The mark that some programs write before the first character of a UTF-8 file. It is no part of the text (RFC 8259,
/// section 8.1).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// As many bytes tell the encoding of a text.
const HEAD_BYTES: usize = 4;

/// Visits the commands of `input` in order, until there are no more or `visit` gives `false`. An input whose first character is
/// `[` is a JSON array of commands, or several; any other has one command a line, and blank lines are passed over. What is no
/// command is visited too: the ledger's refusal is its receipt.
///
/// At most `bytes_max` bytes of a command are kept; the rest is counted and dropped, so that memory stays bounded.
///
/// # Errors
/// Those of `input`; [`io::ErrorKind::InvalidData`] for a text in UTF-16 or UTF-32, and for an array that is not closed, or has
/// something beside commands and commas. The commands before were visited.
pub fn read_commands(
    mut input: impl BufRead,
    bytes_max: usize,
    visit: impl FnMut(Line) -> bool,
) -> io::Result<()> {
    let mut reader = Reader {
        line: 1,
        current: Current::default(),
        bytes_max,
        visit,
    };
    let mut head = [0; HEAD_BYTES];
    let head = read_head(&mut input, &mut head)?;
    if let Some(encoding) = other_encoding(head) {
        let fault = format!("it is {encoding}; save it as UTF-8");
        return Err(io::Error::new(io::ErrorKind::InvalidData, fault));
    }
    let mut input = head.chain(input);
    loop {
        let Some(first) = input.fill_buf()?.first().copied() else {
            return Ok(());
        };
        if first.is_ascii_whitespace() {
            reader.line += u64::from(first == b'\n');
            input.consume(1);
        } else if BYTE_ORDER_MARK.first() == Some(&first) {
            let mut mark = [0; BYTE_ORDER_MARK.len()];
            let mark = read_head(&mut input, &mut mark)?;
            if mark != BYTE_ORDER_MARK {
                return reader.lines(mark.chain(input));
            }
        } else if first == b'[' {
            return reader.arrays(input);
        } else {
            return reader.lines(input);
        }
    }
}

/// The encoding of a text that begins with these bytes, up to [`HEAD_BYTES`] of them, where it is another one than UTF-8: by its
/// byte-order mark (Unicode 16, table 23-4), or by the zero bytes beside its first characters, which no JSON in UTF-8 has.
pub fn other_encoding(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xff, 0xfe, 0, 0, ..]
        | [0, 0, 0xfe, 0xff, ..]
        | [0, 0, 0, 1..=u8::MAX, ..]
        | [1..=u8::MAX, 0, 0, 0, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=u8::MAX, ..] | [1..=u8::MAX, 0, ..] => {
            Some("UTF-16")
        }
        _ => None,
    }
}

/// The bytes of a command without white space around it and byte-order marks before it: files that were put one behind the other may
/// have a mark before each.
pub(crate) fn without_marks(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes.trim_ascii();
    while let Some(rest) = bytes.strip_prefix(BYTE_ORDER_MARK) {
        bytes = rest.trim_ascii_start();
    }
    bytes
}

/// Reads as much as fits into `head`; what there was.
fn read_head<'a>(input: &mut impl BufRead, head: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let mut filled = 0;
    while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(head.get(..filled).unwrap_or_default())
}

/// The command that is being read.
#[derive(Default)]
struct Current {
    bytes: Vec<u8>,
    length: usize,
    line: u64,
}

struct Reader<V> {
    line: u64,
    current: Current,
    bytes_max: usize,
    visit: V,
}

/// Where in an array the next byte stands.
#[derive(Clone, Copy)]
enum Place {
    /// Before an array, or after one.
    Outside,
    /// There, after as many bytes of a byte-order mark.
    Mark(usize),
    /// Before a command; `first` right after the bracket.
    Before { first: bool },
    /// In a command, with as many open brackets and braces.
    Inside {
        depth: u32,
        string: bool,
        escaped: bool,
    },
}

impl<V: FnMut(Line) -> bool> Reader<V> {
    fn push(&mut self, byte: u8) {
        if self.current.length == 0 {
            self.current.line = self.line;
        }
        self.current.length += 1;
        if self.current.bytes.len() < self.bytes_max {
            self.current.bytes.push(byte);
        }
    }

    /// Hands the command on, if there is more of it than a byte-order mark; whether more are wanted.
    fn give(&mut self) -> bool {
        let current = std::mem::take(&mut self.current);
        if current.length == current.bytes.len() && without_marks(&current.bytes).is_empty() {
            return true;
        }
        (self.visit)(Line {
            number: current.line,
            length: current.length,
            bytes: Bytes::from(current.bytes),
        })
    }

    fn lines(mut self, mut input: impl BufRead) -> io::Result<()> {
        loop {
            let available = input.fill_buf()?;
            if available.is_empty() {
                if self.current.length > 0 {
                    self.give();
                }
                return Ok(());
            }
            let used = available.len();
            for index in 0..used {
                // The buffer is borrowed from the input, the reader changes beside it.
                let Some(byte) = available.get(index).copied() else {
                    break;
                };
                if byte != b'\n' {
                    // White space before a command is not kept, so that a blank line stays empty.
                    if self.current.length > 0 || !byte.is_ascii_whitespace() {
                        self.push(byte);
                    }
                    continue;
                }
                if self.current.length > 0 && !self.give() {
                    return Ok(());
                }
                self.line += 1;
            }
            input.consume(used);
        }
    }

    fn arrays(mut self, mut input: impl BufRead) -> io::Result<()> {
        let mut place = Place::Outside;
        loop {
            let available = input.fill_buf()?;
            if available.is_empty() {
                return match place {
                    Place::Outside => Ok(()),
                    Place::Mark(_) | Place::Before { .. } | Place::Inside { .. } => Err(self.fault(
                        "the array is not closed; the file may be cut off. The commands before were sent",
                    )),
                };
            }
            let used = available.len();
            for index in 0..used {
                let Some(byte) = available.get(index).copied() else {
                    break;
                };
                let Some(next) = self.step(place, byte)? else {
                    return Ok(());
                };
                place = next;
                self.line += u64::from(byte == b'\n');
            }
            input.consume(used);
        }
    }

    /// Takes a byte of an array; where the next one stands, or `None` if no more are wanted.
    fn step(&mut self, place: Place, byte: u8) -> io::Result<Option<Place>> {
        let next = match place {
            Place::Outside | Place::Before { .. } if byte.is_ascii_whitespace() => place,
            Place::Outside if byte == b'[' => Place::Before { first: true },
            Place::Outside if BYTE_ORDER_MARK.first() == Some(&byte) => Place::Mark(1),
            Place::Mark(count) if BYTE_ORDER_MARK.get(count) == Some(&byte) => {
                match BYTE_ORDER_MARK.len() {
                    all if all == count + 1 => Place::Outside,
                    _ => Place::Mark(count + 1),
                }
            }
            Place::Outside | Place::Mark(_) => {
                return Err(self.fault("there is something after the array"));
            }
            Place::Before { first: true } if byte == b']' => Place::Outside,
            Place::Before { .. } if matches!(byte, b']' | b',') => {
                return Err(self.fault("a comma has no command beside it"));
            }
            Place::Before { .. } => {
                self.push(byte);
                Place::Inside {
                    depth: u32::from(matches!(byte, b'{' | b'[')),
                    string: byte == b'"',
                    escaped: false,
                }
            }
            Place::Inside {
                depth: 0,
                string: false,
                ..
            } if matches!(byte, b',' | b']') => {
                if !self.give() {
                    return Ok(None);
                }
                match byte {
                    b',' => Place::Before { first: false },
                    _ => Place::Outside,
                }
            }
            Place::Inside {
                depth,
                string,
                escaped,
            } => {
                self.push(byte);
                inside(depth, string, escaped, byte)
            }
        };
        Ok(Some(next))
    }

    fn fault(&self, what: &str) -> io::Error {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("line {}: {what}", self.line),
        )
    }
}

/// Where the byte after this one of a command stands.
fn inside(depth: u32, string: bool, escaped: bool, byte: u8) -> Place {
    if string {
        return Place::Inside {
            depth,
            string: escaped || byte != b'"',
            escaped: !escaped && byte == b'\\',
        };
    }
    let depth = match byte {
        b'{' | b'[' => depth.saturating_add(1),
        b'}' | b']' => depth.saturating_sub(1),
        _ => depth,
    };
    Place::Inside {
        depth,
        string: byte == b'"',
        escaped: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Read = (Vec<(u64, String, usize)>, Option<String>);

    fn read_in(input: &[u8], bytes_max: usize, buffer: usize) -> Read {
        let mut commands = Vec::new();
        let input = io::BufReader::with_capacity(buffer, input);
        let end = read_commands(input, bytes_max, |line| {
            let text = String::from_utf8_lossy(&line.bytes).trim_end().to_owned();
            commands.push((line.number, text, line.length));
            true
        });
        (commands, end.err().map(|error| error.to_string()))
    }

    fn read(input: &[u8]) -> Vec<(u64, String)> {
        let (commands, error) = read_in(input, 100, 8192);
        assert_eq!(error, None);
        commands
            .into_iter()
            .map(|(line, text, _)| (line, text))
            .collect()
    }

    fn is(commands: &[(u64, &str)]) -> Vec<(u64, String)> {
        commands
            .iter()
            .map(|(line, text)| (*line, (*text).to_owned()))
            .collect()
    }

    #[test]
    fn blank_lines_are_passed_over_and_the_last_needs_no_end() {
        assert_eq!(read(b"a\r\n\n  \n b"), is(&[(1, "a"), (4, "b")]));
        assert_eq!(read(b""), is(&[]));
        assert_eq!(read(b" \n\n"), is(&[]));
    }

    #[test]
    fn a_long_command_is_cut_and_counted_and_the_next_is_whole() {
        let (commands, error) = read_in(b"abcdefgh\nxyz\n", 4, 8192);
        assert_eq!(error, None);
        assert_eq!(
            commands,
            [(1, "abcd".to_owned(), 8), (2, "xyz".to_owned(), 3)]
        );
    }

    #[test]
    fn invalid_utf8_is_passed_on_for_the_ledger_to_refuse() {
        assert_eq!(
            read(b"\xff\xff\nb"),
            is(&[(1, "\u{fffd}\u{fffd}"), (2, "b")])
        );
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_command() {
        assert_eq!(
            read_in(b"\xef\xbb\xbf[{}]", 9, 1),
            (vec![(1, "{}".to_owned(), 2)], None)
        );
        assert_eq!(read(b"\xef\xbb\xbf{}\n{}"), is(&[(1, "{}"), (2, "{}")]));
        assert_eq!(read(b"\xef\xbb\xbf\n[{}]"), is(&[(2, "{}")]));
    }

    #[test]
    fn byte_order_marks_stand_before_each_of_the_files_that_were_put_together() {
        let mark = "\u{feff}";
        for (input, commands) in [
            (format!("{mark}{mark}[{{}}]"), is(&[(1, "{}")])),
            (
                format!("{mark}\n {mark}[1]\n{mark}[2]{mark}"),
                is(&[(2, "1"), (3, "2")]),
            ),
            (format!("{mark}{mark}"), is(&[])),
            (format!("{mark} \n{mark}\n"), is(&[])),
        ] {
            let (found, error) = read_in(input.as_bytes(), 100, 1);
            let found: Vec<_> = found
                .into_iter()
                .map(|(line, text, _)| (line, text))
                .collect();
            assert_eq!((found, error), (commands, None), "{input:?}");
        }
        let lines = format!("{mark}{mark}{{}}\n{mark}\n{mark}{mark}{{}}");
        let found = read(lines.as_bytes());
        let numbers: Vec<_> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(numbers, [1, 3]);
        for (_, text) in &found {
            assert_eq!(without_marks(text.as_bytes()), b"{}");
        }
        let (_, error) = read_in(b"[1]\xef\xbb[2]", 100, 8192);
        assert!(error.unwrap().contains("something after the array"));
    }

    #[test]
    fn a_text_in_another_encoding_is_named() {
        let utf_16 = |big: bool, text: &str| -> Vec<u8> {
            let units = text.encode_utf16();
            units
                .flat_map(|unit| {
                    if big {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect()
        };
        let utf_32 = |big: bool, text: &str| -> Vec<u8> {
            let units = text.chars().map(u32::from);
            units
                .flat_map(|unit| {
                    if big {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect()
        };
        for big in [false, true] {
            for text in ["\u{feff}{}\n", "\u{feff}[{}]", "{}", "\u{feff}"] {
                for (bytes, name) in [(utf_16(big, text), "UTF-16"), (utf_32(big, text), "UTF-32")]
                {
                    let (commands, error) = read_in(&bytes, 100, 1);
                    assert_eq!(commands, []);
                    let said = format!("it is {name}; save it as UTF-8");
                    assert_eq!(error.as_ref(), Some(&said), "{}", bytes.escape_ascii());
                }
            }
        }
        for bytes in [
            &b""[..],
            b"{",
            b"{}",
            b"[1]",
            "é{}".as_bytes(),
            b"\xef\xbb\xbf",
        ] {
            assert_eq!(other_encoding(bytes), None);
        }
    }

    #[test]
    fn an_array_gives_its_elements_however_it_is_laid_out() {
        assert_eq!(
            read(b"[{\"a\":\"],[\\\"\"},\n {\"b\":[1,{}]}\n,7 ]\n"),
            is(&[(1, "{\"a\":\"],[\\\"\"}"), (2, "{\"b\":[1,{}]}"), (3, "7")])
        );
        assert_eq!(read(b" [ ] "), is(&[]));
        assert_eq!(read(b"[{}]\n[{}]"), is(&[(1, "{}"), (2, "{}")]));
    }

    #[test]
    fn an_array_that_is_not_one_is_named_by_its_line() {
        for (input, commands, error) in [
            (&b"[{},\n{}"[..], 1, "line 2: the array is not closed"),
            (b"[{}\n", 0, "line 2: the array is not closed"),
            (b"[", 0, "line 1: the array is not closed"),
            (b"[{}\n,]", 1, "line 2: a comma has no command beside it"),
            (b"[,{}]", 0, "line 1: a comma has no command beside it"),
            (b"[{}]\nx", 1, "line 2: there is something after the array"),
        ] {
            let (found, end) = read_in(input, 100, 8192);
            assert_eq!(found.len(), commands, "{}", input.escape_ascii());
            assert!(end.unwrap().starts_with(error), "{}", input.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn an_array_reads_like_its_lines_in_any_pieces(
            values in proptest::collection::vec("[a-z\\\\\"\\[\\]{}, \n]{0,12}", 0..6),
            buffer in 1_usize..20,
        ) {
            let objects: Vec<String> = values
                .iter()
                .map(|text| format!("{{\"t\":{}}}", serde_json::Value::from(text.as_str())))
                .collect();
            let texts = |input: String| -> Vec<String> {
                let (commands, error) = read_in(input.as_bytes(), 1000, buffer);
                assert_eq!(error, None);
                commands.into_iter().map(|(_, text, _)| text).collect()
            };
            prop_assert_eq!(&texts(objects.join("\n")), &objects);
            prop_assert_eq!(&texts(format!("[{}]", objects.join(" ,\n"))), &objects);
        }

        #[test]
        fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (commands, _) = read_in(&bytes, 16, 7);
            prop_assert!(commands.iter().all(|(_, text, _)| text.chars().count() <= 16));
        }
    }
}
