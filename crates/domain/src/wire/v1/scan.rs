//! A scanner of JSON text that names the first thing wrong with it and where: the slower pass over bytes that the typed
//! reader refused. It keeps its own stack, so that hostile nesting cannot exhaust the thread's.

use std::collections::BTreeSet;

use crate::rejection::{Rejection, RejectionCode};

/// How deep arrays and objects may nest.
pub(super) const MAX_DEPTH: usize = 32;

/// What was learned about a text before its first fault.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The value of the top object's key `id`, if it is a string and came before the fault.
    pub(super) id: Option<String>,
}

/// Checks that `bytes` are one JSON value that the ledger's rules allow: UTF-8, no key twice in an object, at most
/// [`MAX_DEPTH`] deep, all numbers finite and within 2^53.
pub(super) fn scan(bytes: &[u8], found: &mut Found) -> Result<(), Rejection> {
    let text = str::from_utf8(bytes).map_err(|error| {
        found.id = None;
        Rejection::new(
            RejectionCode::InvalidUtf8,
            format!(
                "byte {} is not UTF-8; encode the command as UTF-8",
                error.valid_up_to()
            ),
        )
    })?;
    let mut scanner = Scanner {
        text,
        at: 0,
        stack: Vec::new(),
        found,
    };
    scanner.run()
}

enum Frame {
    Object { keys: BTreeSet<String>, key: String },
    Array { index: usize },
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    stack: Vec<Frame>,
    found: &'a mut Found,
}

impl Scanner<'_> {
    fn run(&mut self) -> Result<(), Rejection> {
        let mut value_done = false;
        loop {
            if value_done {
                match self.after_value()? {
                    Next::Value => value_done = false,
                    Next::Closed => {}
                    Next::End => return Ok(()),
                }
            } else {
                value_done = self.value()?;
            }
        }
    }

    /// Reads a value's beginning; says whether it is complete already (a container with members is not).
    fn value(&mut self) -> Result<bool, Rejection> {
        self.skip_spaces();
        match self.peek() {
            Some(b'{') => {
                self.open(Frame::Object {
                    keys: BTreeSet::new(),
                    key: String::new(),
                })?;
                if self.close_if(b'}') {
                    return Ok(true);
                }
                self.key()?;
                Ok(false)
            }
            Some(b'[') => {
                self.open(Frame::Array { index: 0 })?;
                Ok(self.close_if(b']'))
            }
            Some(b'"') => {
                let string = self.string()?;
                self.note_id(string);
                Ok(true)
            }
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| true),
            Some(_) => self.word().map(|()| true),
            None => Err(self.malformed("the text ends where a value should stand")),
        }
    }

    fn after_value(&mut self) -> Result<Next, Rejection> {
        self.skip_spaces();
        let byte = self.peek();
        match (self.stack.last_mut(), byte) {
            (None, None) => Ok(Next::End),
            (None, Some(_)) => Err(self.malformed("something follows the command")),
            (Some(Frame::Object { .. }), Some(b',')) => {
                self.at += 1;
                self.key()?;
                Ok(Next::Value)
            }
            (Some(Frame::Array { index }), Some(b',')) => {
                *index += 1;
                self.at += 1;
                Ok(Next::Value)
            }
            (Some(Frame::Object { .. }), Some(b'}')) | (Some(Frame::Array { .. }), Some(b']')) => {
                self.stack.pop();
                self.at += 1;
                Ok(Next::Closed)
            }
            (Some(Frame::Object { .. }), _) => Err(self.malformed("a comma or } is missing")),
            (Some(Frame::Array { .. }), _) => Err(self.malformed("a comma or ] is missing")),
        }
    }

    fn open(&mut self, frame: Frame) -> Result<(), Rejection> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(self.fault(
                RejectionCode::TooDeep,
                format!(
                    "the JSON nests deeper than {MAX_DEPTH} levels; send the documented fields only"
                ),
            ));
        }
        self.stack.push(frame);
        self.at += 1;
        Ok(())
    }

    fn close_if(&mut self, end: u8) -> bool {
        self.skip_spaces();
        let closes = self.peek() == Some(end);
        if closes {
            self.stack.pop();
            self.at += 1;
        }
        closes
    }

    fn key(&mut self) -> Result<(), Rejection> {
        self.skip_spaces();
        if self.peek() != Some(b'"') {
            return Err(self.malformed("a key in double quotes is missing"));
        }
        let name = self.string()?;
        self.skip_spaces();
        if self.peek() != Some(b':') {
            return Err(self.malformed("a colon is missing after a key"));
        }
        self.at += 1;
        let Some(Frame::Object { keys, key }) = self.stack.last_mut() else {
            return Err(self.malformed("a key stands outside of an object"));
        };
        key.clone_from(&name);
        if keys.insert(name) {
            return Ok(());
        }
        Err(self.fault(
            RejectionCode::DuplicateKey,
            "this key stands twice in its object; send it once".to_owned(),
        ))
    }

    /// Reads a string; its escapes are undone by `serde_json`, which refuses what JSON does not allow in one.
    fn string(&mut self) -> Result<String, Rejection> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut end = start + 1;
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
                None => return Err(self.malformed("a string has no end")),
            }
        }
        let string = self
            .text
            .get(start..=end)
            .and_then(|quoted| serde_json::from_str(quoted).ok())
            .ok_or_else(|| {
                self.malformed("a string has a bad escape or a raw control character")
            })?;
        self.at = end + 1;
        Ok(string)
    }

    fn number(&mut self) -> Result<(), Rejection> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest
            .bytes()
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        let number = rest.get(..length).unwrap_or_default();
        if !is_json_number(number) {
            return Err(self.malformed("a number is not written as JSON writes numbers"));
        }
        let within = match number.parse::<i128>() {
            Ok(whole) => whole.unsigned_abs() <= 1 << 53,
            // With a fraction or an exponent, 2^53 is also what rounding makes of numbers beyond it.
            Err(_) => number
                .parse::<f64>()
                .is_ok_and(|value| value.abs() < 9_007_199_254_740_992.0),
        };
        if !within {
            return Err(self.fault(
                RejectionCode::NumberOutOfRange,
                "the number lies beyond 2^53, or cannot be told from one that does; use a larger unit"
                    .to_owned(),
            ));
        }
        self.at += length;
        Ok(())
    }

    fn word(&mut self) -> Result<(), Rejection> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match ["true", "false", "null"]
            .iter()
            .find(|word| rest.starts_with(**word))
        {
            Some(word) => {
                self.at += word.len();
                Ok(())
            }
            None => Err(self.malformed("this is no JSON value")),
        }
    }

    fn note_id(&mut self, string: String) {
        if let [Frame::Object { key, .. }] = self.stack.as_slice()
            && key == "id"
        {
            self.found.id = Some(string);
        }
    }

    fn skip_spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn malformed(&self, what: &str) -> Rejection {
        self.fault(
            RejectionCode::MalformedJson,
            format!("{what}, at byte {}; send one JSON object", self.at),
        )
    }

    fn fault(&self, code: RejectionCode, message: String) -> Rejection {
        let mut path = String::new();
        for frame in &self.stack {
            match frame {
                Frame::Object { key, .. } => super::path::push_key(&mut path, key),
                Frame::Array { index } => super::path::push_index(&mut path, *index),
            }
        }
        super::path::rejection(code, path, message)
    }
}

enum Next {
    Value,
    Closed,
    End,
}

/// `-? (0 | [1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?` (RFC 8259, section 6).
fn is_json_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent
            .is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(text: &str) -> Option<RejectionCode> {
        scan(text.as_bytes(), &mut Found::default())
            .err()
            .map(|rejection| rejection.code)
    }

    #[test]
    fn numbers_are_those_of_json() {
        for good in ["0", "-0", "10", "1.5", "0.5", "1e5", "1E+5", "-1.25e-3"] {
            assert_eq!(code(good), None, "{good}");
        }
        for bad in [
            "-", "+1", "01", "1.", ".5", "1e", "1e+", "--1", "1.2.3", "0x1", "1_0", "NaN",
        ] {
            assert_eq!(code(bad), Some(RejectionCode::MalformedJson), "{bad}");
        }
        for far in [
            "1e400",
            "-1e400",
            "9007199254740993",
            "1e16",
            "9007199254740993.0",
            "9.007199254740993e15",
            "-9007199254740993.0",
            "99999999999999999999999999999999999999999",
        ] {
            assert_eq!(code(far), Some(RejectionCode::NumberOutOfRange), "{far}");
        }
        assert_eq!(code("9007199254740992"), None);
    }

    #[test]
    fn the_id_is_that_of_the_command_and_no_other() {
        let id = |text: &str| {
            let mut found = Found::default();
            scan(text.as_bytes(), &mut found).unwrap_or_default();
            found.id
        };
        assert_eq!(id(r#"{"id":"a","data":{"id":"b"}}"#), Some("a".into()));
        assert_eq!(id(r#"{"data":{"id":"b"},"id":"a""#), Some("a".into()));
        assert_eq!(id(r#"{"data":{"id":"b"}}"#), None);
        assert_eq!(id(r#"[{"id":"b"}]"#), None);
        assert_eq!(id(r#"{"id":["a"]}"#), None);
    }

    proptest! {
        #[test]
        fn what_is_malformed_here_is_malformed_to_serde_json_too(
            text in "([\\[\\]{},:]|\"[ab\\\\u0061\\x00-\\x20]{0,6}\"|-?[0-9.eE+]{1,4}|true|null| ){1,12}",
        ) {
            let readable = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            match code(&text) {
                None => prop_assert!(readable),
                Some(
                    RejectionCode::DuplicateKey
                    | RejectionCode::TooDeep
                    | RejectionCode::NumberOutOfRange,
                ) => {}
                Some(_) => prop_assert!(!readable),
            }
        }
    }
}
