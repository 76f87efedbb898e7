//! The findings of a JSON reader, in words for people: those of the library name types of the
//! program.

use serde_json::error::Category;

/// The fault in JSON: the place where it stops being JSON, or the part that is wrong for its place.
pub fn json_fault(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Syntax if line == 1 => format!("it is not JSON from column {column} on"),
        Category::Syntax => format!("it is not JSON from line {line}, column {column} on"),
        Category::Eof => "the JSON ends too early".to_owned(),
        Category::Io => "it could not be read".to_owned(),
        Category::Data => {
            let said = error.to_string();
            let place = format!(" at line {line} column {column}");
            in_plain_words(said.strip_suffix(place.as_str()).unwrap_or(&said))
        }
    }
}

fn in_plain_words(said: &str) -> String {
    let unexpected = ["invalid type: ", "invalid value: ", "invalid length "];
    for beginning in unexpected {
        let parts = said.strip_prefix(beginning);
        if let Some((found, expected)) = parts.and_then(|said| said.rsplit_once(", expected ")) {
            let found = if beginning.ends_with(": ") {
                plain_found(found)
            } else {
                format!("{found} parts")
            };
            return format!("{found} stands where {} belongs", plain_expected(expected));
        }
    }
    if let Some(name) = said.strip_prefix("missing field ") {
        return format!("{name} is missing");
    }
    if let Some(name) = said.strip_prefix("duplicate field ") {
        return format!("{name} stands there twice");
    }
    for (beginning, what) in [("unknown field ", "field"), ("unknown variant ", "word")] {
        let parts = said.strip_prefix(beginning);
        if let Some((name, known)) = parts.and_then(|said| said.split_once(", ")) {
            let known = known.strip_prefix("expected ").unwrap_or(known);
            let known = known.strip_prefix("one of ").unwrap_or(known);
            return format!("{name} is no {what} of it: {known}");
        }
    }
    said.to_owned()
}

/// The thing that was found, without the name of its type.
fn plain_found(found: &str) -> String {
    match found {
        "map" => "an object".to_owned(),
        "sequence" => "a list".to_owned(),
        "unit value" | "Option value" => "null".to_owned(),
        found => {
            let kinds = [
                "string ",
                "character ",
                "integer ",
                "boolean ",
                "floating point ",
            ];
            let value = kinds.iter().find_map(|kind| found.strip_prefix(kind));
            value.unwrap_or(found).to_owned()
        }
    }
}

/// The thing that belongs there, where the name of a type says it.
fn plain_expected(expected: &str) -> &str {
    match expected {
        "usize" | "u8" | "u16" | "u32" | "u64" | "u128" => "a whole number from 0 on",
        "isize" | "i8" | "i16" | "i32" | "i64" | "i128" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "a borrowed string" | "string" | "a character" => "a text",
        "a boolean" => "true or false",
        "a map" => "an object",
        "a sequence" => "a list",
        "unit" | "null" => "null",
        expected
            if expected.starts_with("struct ") || expected.starts_with("internally tagged") =>
        {
            "an object"
        }
        expected if expected.contains("variant") || expected.contains("enum ") => {
            "one of its words"
        }
        expected if expected.starts_with("a tuple") || expected.contains("tuple struct") => {
            "a list"
        }
        expected => expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::v1::query::{ReplayQuery, ViewQuery};
    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        Stale,
        Overdue,
    }

    #[derive(Debug, Deserialize)]
    struct Record {
        #[expect(dead_code, reason = "it is only read")]
        id: String,
        #[expect(dead_code, reason = "it is only read")]
        word: Option<Word>,
        #[expect(dead_code, reason = "it is only read")]
        pair: Option<(u8, f64)>,
        #[expect(dead_code, reason = "it is only read")]
        flag: Option<bool>,
    }

    fn said<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> String {
        json_fault(&serde_json::from_str::<T>(json).expect_err("it is not right"))
    }

    #[test]
    fn no_word_of_the_program_is_said() {
        let faults = [
            said::<ReplayQuery>(r#"{"from":0,"max_bytes":"x"}"#),
            said::<ReplayQuery>(r#"{"from":-1}"#),
            said::<ReplayQuery>(r#"{"from":0.5}"#),
            said::<ReplayQuery>("[]"),
            said::<ReplayQuery>("{}"),
            said::<ReplayQuery>(r#"{"from":0,"from":1}"#),
            said::<ReplayQuery>(r#"{"from":0,"form":1}"#),
            said::<ViewQuery>(r#"{"limit":null}"#),
            said::<ViewQuery>(r#"{"limit":{}}"#),
            said::<ViewQuery>(r#"{"as_of":[]}"#),
            said::<Record>("7"),
            said::<Record>(r#"{"id":7}"#),
            said::<Record>(r#"{"id":"x","word":"lost"}"#),
            said::<Record>(r#"{"id":"x","word":7}"#),
            said::<Record>(r#"{"id":"x","pair":[1]}"#),
            said::<Record>(r#"{"id":"x","pair":[1,"y"]}"#),
            said::<Record>(r#"{"id":"x","flag":"yes"}"#),
            said::<Record>("nonsense"),
            said::<Record>("{"),
        ];
        for fault in &faults {
            for leaked in [
                "usize",
                "u64",
                "u8",
                "f64",
                "struct",
                "tuple",
                "enum",
                "variant",
                "sequence",
                "map",
                "invalid type",
                "expected ident",
                "at line",
                "unit",
            ] {
                assert!(!fault.contains(leaked), "{leaked}: {fault}");
            }
        }
        assert_eq!(
            faults[0],
            "\"x\" stands where a whole number from 0 on belongs"
        );
        assert_eq!(faults[4], "`from` is missing");
        assert!(
            faults[6].starts_with("`form` is no field of it: `from`"),
            "{}",
            faults[6]
        );
        assert_eq!(faults[17], "it is not JSON from column 2 on");
    }
}
