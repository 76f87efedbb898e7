//! The README's tables for partners say what the code does.

use ledger_domain::RejectionCode;
use ledger_domain::wire::v1::CommandType;
use ledger_domain::wire::v1::endpoint::{self, Argument};
use ledger_domain::wire::v1::problem::ProblemCode;
use ledger_domain::wire::v1::view::WatchList;

const README: &str = include_str!("../../../../README.md");

/// The lines between two markers.
fn between(begin: &str, end: &str) -> Vec<&'static str> {
    let (_, rest) = README.split_once(begin).expect("the opening marker");
    let (table, _) = rest.split_once(end).expect("the closing marker");
    let lines = table.lines().skip_while(|line| !line.starts_with('|'));
    lines.collect()
}

#[test]
fn the_readme_lists_every_rejection_code_as_the_code_explains_it() {
    let mut expected = vec![
        "| code | what it means | what to do |".to_owned(),
        "|---|---|---|".to_owned(),
    ];
    expected.extend(RejectionCode::ALL.iter().map(|code| {
        let (meaning, remedy) = (code.meaning(), code.remedy());
        format!("| `{code}` | {meaning} | {remedy} |")
    }));
    let found = between("<!-- rejection-codes:", "<!-- end -->");
    assert!(
        found == expected,
        "the README's table should read:\n{}",
        expected.join("\n")
    );
}

/// The names that the rows of a table begin with.
fn names(begin: &str) -> Vec<&'static str> {
    let rows = between(begin, "<!-- end -->");
    let names = rows
        .iter()
        .filter_map(|row| row.strip_prefix("| `")?.split_once('`'));
    names.map(|(name, _)| name).collect()
}

#[test]
fn the_readme_says_what_every_watch_list_is() {
    let lists: Vec<&str> = WatchList::ALL.iter().map(|list| list.as_str()).collect();
    assert_eq!(names("<!-- watch-lists:"), lists);
}

#[test]
fn the_readme_lists_every_command() {
    let mut found = names("<!-- commands:");
    let mut expected: Vec<&str> = CommandType::ALL.iter().map(|kind| kind.name()).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn the_readme_names_every_endpoint_and_every_problem() {
    for spec in endpoint::all() {
        // Projections are named together.
        let subject = match (spec.subject.split_once('.'), spec.argument) {
            (Some((kind, _)), _) => format!("`{kind}.<"),
            (None, Argument::Tokens) => format!("`{}.<", spec.subject),
            (None, Argument::None) => format!("`{}`", spec.subject),
        };
        assert!(README.contains(&subject), "{subject}");
    }
    for code in ProblemCode::ALL {
        let number = format!("{}: ", code.number());
        assert!(README.contains(&number), "{number}");
    }
}
