//! Lists what the ledger takes for personal identifiers in a file: `cargo run -p ledger-domain --example personal FILE`. Each
//! line is a text, or a JSON object whose strings are texts. This is how the rule is measured on real texts.

use std::io::{BufRead, Write, stdin, stdout};

use ledger_domain::personal;
use ledger_domain::wire::v1::Pattern;

fn main() -> std::io::Result<()> {
    let lines: Vec<String> = match std::env::args().nth(1) {
        Some(file) => std::fs::read_to_string(file)?
            .lines()
            .map(str::to_owned)
            .collect(),
        None => stdin().lock().lines().collect::<Result<_, _>>()?,
    };
    let mut out = stdout().lock();
    for (index, line) in lines.iter().enumerate() {
        let mut texts = Vec::new();
        match serde_json::from_str(line) {
            Ok(value @ serde_json::Value::Object(_)) => strings(&value, &mut texts),
            Ok(_) | Err(_) => texts.push(line.clone()),
        }
        for text in texts {
            for pattern in Pattern::ALL {
                let mut from = 0;
                while let Some(range) = personal::locate(&text, *pattern, from) {
                    from = range.end;
                    let before = text.floor_char_boundary(range.start.saturating_sub(40));
                    let after = text.ceil_char_boundary((range.end + 20).min(text.len()));
                    let part = |range: std::ops::Range<usize>| {
                        text.get(range)
                            .unwrap_or_default()
                            .replace(['\n', '\r', '\t'], " ")
                    };
                    let (before, found, after) = (
                        part(before..range.start),
                        part(range.clone()),
                        part(range.end..after),
                    );
                    writeln!(out, "{}\t{pattern}\t{before}⟦{found}⟧{after}", index + 1)?;
                }
            }
        }
    }
    Ok(())
}

/// All strings in a JSON value.
fn strings(value: &serde_json::Value, texts: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => texts.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, texts)),
        serde_json::Value::Object(fields) => {
            fields.values().for_each(|field| strings(field, texts));
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}
