//! The members of a JSON object as the ledger writes its events, without spaces: found by their ends alone, so that passing over a long text costs
//! next to nothing. Whoever meets anything else here reads the whole with the JSON reader instead.

use memchr::{memchr, memchr2, memchr3};

/// It is not written as the ledger writes; whoever goes on gets this for ever.
#[derive(Debug, PartialEq)]
pub(super) struct OtherForm;

/// Goes through the names and the values of an object, both as they are written.
pub(super) struct Members<'a> {
    rest: &'a [u8],
}

/// Goes through the values of an array, as they are written.
pub(super) struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Members<'a> {
    /// None if this is no object.
    pub(super) fn of(object: &'a [u8]) -> Option<Self> {
        let rest = object.strip_prefix(b"{")?.strip_suffix(b"}")?;
        Some(Self { rest })
    }

    fn read(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let (name, rest) = split_value(self.rest)?;
        let (value, rest) = split_value(rest.strip_prefix(b":")?)?;
        self.rest = after_comma(rest)?;
        let name = name.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        // A name with an escape is none that anybody looks for by its bytes.
        memchr(b'\\', name).is_none().then_some((name, value))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), OtherForm>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| self.read().ok_or(OtherForm))
    }
}

impl<'a> Elements<'a> {
    /// None if this is no array.
    pub(super) fn of(array: &'a [u8]) -> Option<Self> {
        let rest = array.strip_prefix(b"[")?.strip_suffix(b"]")?;
        Some(Self { rest })
    }

    fn read(&mut self) -> Option<&'a [u8]> {
        let (value, rest) = split_value(self.rest)?;
        self.rest = after_comma(rest)?;
        Some(value)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<&'a [u8], OtherForm>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| self.read().ok_or(OtherForm))
    }
}

/// The text of a string that has no escapes.
pub(super) fn plain_text(string: &[u8]) -> Option<&str> {
    let text = string.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if memchr2(b'\\', b'"', text).is_some() {
        return None;
    }
    str::from_utf8(text).ok()
}

/// What follows a comma; nothing where nothing follows.
fn after_comma(rest: &[u8]) -> Option<&[u8]> {
    match rest {
        [] => Some(rest),
        // What follows a comma is another value, never the end.
        [b',', rest @ ..] if !rest.is_empty() => Some(rest),
        [..] => None,
    }
}

/// Splits the value that comes first from what follows it.
fn split_value(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = match bytes.first()? {
        b'"' => string_end(bytes)?,
        b'{' | b'[' => container_end(bytes)?,
        _ => memchr3(b',', b'}', b']', bytes).unwrap_or(bytes.len()),
    };
    bytes
        .split_at_checked(end)
        .filter(|(value, _)| !value.is_empty())
}

/// Where the string ends that begins here.
fn string_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        // A backslash, and what it escapes.
        at += 2;
    }
}

/// Where the object or array ends that begins here.
fn container_end(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_u32);
    loop {
        match bytes.get(at)? {
            b'"' => {
                at += string_end(bytes.get(at..)?)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn members(object: &str) -> Option<Vec<(&str, &str)>> {
        let text = |value| str::from_utf8(value).unwrap();
        Members::of(object.as_bytes())?
            .map(|member| member.map(|(name, value)| (text(name), text(value))).ok())
            .collect()
    }

    #[test]
    fn members_are_found_whatever_their_values_hold() {
        let object = r#"{"a":"x,\"}","b":{"c":[1,{"d":"]"}],"e":"\\"},"f":-1.5,"g":[],"h":true}"#;
        let expected = [
            ("a", r#""x,\"}""#),
            ("b", r#"{"c":[1,{"d":"]"}],"e":"\\"}"#),
            ("f", "-1.5"),
            ("g", "[]"),
            ("h", "true"),
        ];
        assert_eq!(members(object).unwrap(), expected);
        assert_eq!(members("{}"), Some(Vec::new()));
        for other in [
            "",
            "[]",
            "{",
            r#"{"a"}"#,
            r#"{"a":1,}"#,
            r#"{"a":"1}"#,
            r#"{"\u0061":1}"#,
            r#"{"a": 1,"b"}"#,
        ] {
            assert_eq!(members(other), None, "{other}");
        }
    }

    #[test]
    fn elements_are_found_in_their_order() {
        let elements = Elements::of(br#"["a",{"b":[1]},2]"#).unwrap();
        let found: Vec<_> = elements.map(Result::unwrap).collect();
        assert_eq!(found, [&br#""a""#[..], br#"{"b":[1]}"#, b"2"]);
        assert_eq!(plain_text(br#""a""#), Some("a"));
        assert_eq!(plain_text(br#""\n""#), None);
    }

    proptest! {
        #[test]
        fn any_text_is_passed_over(text in any::<String>(), number in any::<i64>()) {
            let written = serde_json::to_string(&serde_json::json!({"a": text, "b": [text], "c": number})).unwrap();
            let found = members(&written).unwrap();
            prop_assert_eq!(found.len(), 3);
            prop_assert_eq!(serde_json::from_str::<String>(found[0].1).unwrap(), text);
            prop_assert_eq!(found[2].1, number.to_string());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(members) = Members::of(&bytes) {
                prop_assert!(members.take_while(Result::is_ok).count() <= bytes.len());
            }
        }
    }
}
