//! Recommendations of the Universal Periodic Review as commitments.
//!
//! The input is neutral JSON lines: a recommendation (`RecordRecommendation`), the State's answer to it
//! (`RespondToRecommendation`), and, where it was accepted, `RecordCommitment`. A recommendation that a State accepted
//! becomes a commitment of that State, attached to every theme it has. One that was only noted is no commitment: it is
//! counted and skipped.
//!
//! The importer sends as a partner of its own, which root registers first. The State parties and the objectives that
//! themes are mapped to must be in the ledger already: they come with the reference catalogue.

use super::themes::{self, MAPPINGS};
use chrono::{DateTime, NaiveTime, Utc};
use ledger_domain::country;
use ledger_domain::date::PartialDate;
use ledger_domain::ids::{
    ActionCode, CommandId, CommitmentId, IdError, InstrumentId, PartnerId, PartyId, Subject,
};
use ledger_domain::wire::v1::{
    ActionKind, CatalogueAction, Command, CommandBody, InstrumentKind, MapActions,
    PublishInstrument, RecordCommitment, RegisterPartner, Role, Root, Source, TextStatus,
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use thiserror::Error;
use uuid::Uuid;

/// The partner that the importer sends as.
pub const PARTNER: &str = "import-upr";

/// The instrument it publishes.
pub const INSTRUMENT: &str = "UPR";

/// Namespace of all ids that the importer derives (UUID version 5); never to be changed, or a second import would
/// record everything again.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f1d_4a52_6c0b_4e0e_9b3a_52c1_7d90_e4a6);

/// The first session of the review: the time of what has no date of its own.
const FIRST_SESSION: &str = "2008-04";

/// Longest title of a commitment, in characters.
const TITLE_CHARS_MAX: usize = 300;

/// What an import comes to.
#[derive(Debug, Default)]
pub struct UprImport {
    /// The commands in the order in which they are to be sent.
    pub commands: Vec<Command>,
    /// Recommendations read.
    pub recommendation_count: u64,
    /// Those among them that were accepted: commitments.
    pub accepted_count: u64,
    /// Those that were noted, not accepted: skipped.
    pub noted_count: u64,
    /// Lines that could not be used, each with why.
    pub refused_lines: Vec<LineError>,
}

/// A line that could not be used.
#[derive(Debug, Error)]
#[error("line {line}: {fault}")]
pub struct LineError {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    #[source]
    pub fault: LineFault,
}

/// What is wrong with a line.
#[derive(Debug, Error)]
pub enum LineFault {
    /// Not one of the three records.
    #[error("not a record of the review")]
    Record(#[source] serde_json::Error),
    /// It refers to a recommendation that no earlier line has.
    #[error("no earlier line has the recommendation {0}")]
    Unknown(String),
    /// An id or code cannot be made of it.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The date is none.
    #[error("`{0}` is not a month")]
    Date(String),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "command")]
enum Record {
    #[serde(rename = "RecordRecommendation")]
    Recommendation(Recommendation),
    #[serde(rename = "RespondToRecommendation")]
    Response { subject: String, response: String },
    #[serde(rename = "RecordCommitment")]
    Commitment { subject: String },
}

/// A recommendation, made to one State in one session by one State or several.
#[derive(Debug, Deserialize)]
struct Recommendation {
    subject: String,
    party: String,
    effective_at: String,
    recommended_by: Vec<String>,
    issues: Vec<String>,
    text: String,
}

/// Turns the lines of a review file into commands: first the partner, the instrument and its actions, then the
/// commitments in the order of the file. `root` is the ledger's root partner, which registers the importer.
///
/// The same lines give the same commands, byte for byte, whenever and wherever they are read.
pub fn import<'a>(lines: impl IntoIterator<Item = &'a str>, root: &Root) -> UprImport {
    let mut import = UprImport::default();
    let mut recommendations: HashMap<String, Recommendation> = HashMap::new();
    let mut actions: BTreeMap<ActionCode, String> = BTreeMap::new();
    let mut commitments = Vec::new();
    for (number, line) in (1..).zip(lines) {
        if line.trim().is_empty() {
            continue;
        }
        let taken = serde_json::from_str(line)
            .map_err(LineFault::Record)
            .and_then(|record| match record {
                Record::Recommendation(recommendation) => {
                    import.recommendation_count += 1;
                    recommendations.insert(recommendation.subject.clone(), recommendation);
                    Ok(())
                }
                Record::Response { subject, response } => {
                    let accepted = response == "Accepted";
                    import.noted_count += u64::from(!accepted);
                    known(&recommendations, &subject).map(|_| ())
                }
                Record::Commitment { subject } => {
                    let recommendation = known(&recommendations, &subject)?;
                    commitments.push(commitment(recommendation, &mut actions)?);
                    import.accepted_count += 1;
                    Ok(())
                }
            });
        if let Err(fault) = taken {
            import.refused_lines.push(LineError {
                line: number,
                fault,
            });
        }
    }
    match preparation(&actions, root) {
        Ok(commands) => import.commands = commands,
        Err(error) => import.refused_lines.push(LineError {
            line: 0,
            fault: error.into(),
        }),
    }
    import.commands.extend(commitments);
    import
}

fn known<'a>(
    recommendations: &'a HashMap<String, Recommendation>,
    subject: &str,
) -> Result<&'a Recommendation, LineFault> {
    recommendations
        .get(subject)
        .ok_or_else(|| LineFault::Unknown(subject.to_owned()))
}

/// What must stand in the ledger before the commitments: the partner, the instrument, its actions, their mappings.
fn preparation(
    actions: &BTreeMap<ActionCode, String>,
    root: &Root,
) -> Result<Vec<Command>, IdError> {
    let partner: PartnerId = PARTNER.parse()?;
    let instrument: InstrumentId = INSTRUMENT.parse()?;
    let about_instrument = |name: &str, body| {
        command(
            name,
            &partner,
            Subject::Instrument(instrument.clone()),
            &root.party,
            body,
        )
    };
    let mut commands = vec![
        command(
            "register_partner",
            &root.partner,
            Subject::Partner(partner.clone()),
            &root.party,
            CommandBody::RegisterPartner(register_partner(root)?),
        ),
        about_instrument(
            "publish_instrument",
            CommandBody::PublishInstrument(PublishInstrument {
                title: "Universal Periodic Review: recommendations on migration".to_owned(),
                kind: InstrumentKind::Recommendations,
                adopted: None,
                symbol: None,
                url: None,
                principles: Vec::new(),
            }),
        ),
    ];
    for (code, theme) in actions {
        let body = CommandBody::CatalogueAction(CatalogueAction {
            code: code.clone(),
            title: theme.clone(),
            parent: None,
            text_status: TextStatus::ThemeSeen,
            description: None,
            kind: Some(ActionKind::Theme),
        });
        commands.push(about_instrument(&format!("catalogue_action {code}"), body));
    }
    for mapping in MAPPINGS {
        let from = themes::action_code(mapping.theme)?;
        if actions.contains_key(&from) {
            let name = format!("map_actions {from} {}", mapping.objective);
            let body = CommandBody::MapActions(MapActions {
                from,
                to: vec![mapping.objective.parse()?],
                basis: Some(mapping.basis.to_owned()),
            });
            commands.push(about_instrument(&name, body));
        }
    }
    Ok(commands)
}

/// The review reviews every member State, so the importer may speak for each of them, whatever file comes: were it for
/// the States of one file, another file's import would want the same partner with other bytes. It keeps its own
/// catalogue in the name of the ledger's own party.
fn register_partner(root: &Root) -> Result<RegisterPartner, IdError> {
    let mut parties = vec![root.party.clone()];
    for state in country::members() {
        parties.push(PartyId::try_from(state.code.as_str())?);
    }
    Ok(RegisterPartner {
        name: "Importer of the Universal Periodic Review".to_owned(),
        roles: vec![Role::Secretariat, Role::Reporter],
        parties,
    })
}

/// The commitment of an accepted recommendation; its themes are added to `actions`.
fn commitment(
    recommendation: &Recommendation,
    actions: &mut BTreeMap<ActionCode, String>,
) -> Result<Command, LineFault> {
    let mut codes = BTreeSet::new();
    for theme in &recommendation.issues {
        let code = themes::action_code(theme)?;
        actions.insert(code.clone(), theme.clone());
        codes.insert(code);
    }
    let made: PartialDate = recommendation
        .effective_at
        .parse()
        .map_err(|_| LineFault::Date(recommendation.effective_at.clone()))?;
    let subject = &recommendation.subject;
    let body = RecordCommitment {
        title: title(&recommendation.text),
        description: Some(description(recommendation)),
        actions: codes.into_iter().collect(),
        form: None,
        nature: None,
        matches: None,
        participants: Vec::new(),
        countries: Vec::new(),
        principles: Vec::new(),
        measure: None,
        made: Some(made),
        due: None,
        source: Some(Source {
            system: "UPR".to_owned(),
            reference: subject.clone(),
            url: None,
        }),
        illustrative: false,
    };
    Ok(Command {
        time: start_of(made),
        ..command(
            &format!("record_commitment {subject}"),
            &PARTNER.parse()?,
            Subject::Commitment(CommitmentId(derived(&format!("commitment {subject}")))),
            &recommendation.party.parse()?,
            CommandBody::RecordCommitment(body),
        )
    })
}

/// A command whose id is derived from its name, made when the review began.
fn command(
    name: &str,
    partner: &PartnerId,
    subject: Subject,
    party: &PartyId,
    body: CommandBody,
) -> Command {
    Command {
        id: CommandId(derived(name)),
        partner: partner.clone(),
        subject,
        time: FIRST_SESSION.parse().map(start_of).unwrap_or_default(),
        party: party.clone(),
        expected_version: None,
        nonce: None,
        body,
    }
}

fn derived(name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

fn start_of(date: PartialDate) -> DateTime<Utc> {
    date.first_day().and_time(NaiveTime::MIN).and_utc()
}

/// The recommendation's text, cut at a word where it is too long for a title.
fn title(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() <= TITLE_CHARS_MAX {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(TITLE_CHARS_MAX - 1).collect();
    if let Some(space) = cut.rfind(' ') {
        cut.truncate(space);
    }
    cut.push('…');
    cut
}

/// The whole text, and who recommended it.
fn description(recommendation: &Recommendation) -> String {
    let mut description = recommendation.text.trim().to_owned();
    if !recommendation.recommended_by.is_empty() {
        description.push_str("\n\nRecommended by ");
        description.push_str(&recommendation.recommended_by.join(", "));
        description.push('.');
    }
    description
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_domain::wire::v1::Policy;

    const LINES: &str = r#"
{"seq":1,"source":"upr","recorded_at":"2008-04","effective_at":"2008-04","precision":"month(approx.)","subject":"UPR1-DZA-0001","party":"DZA","command":"RecordRecommendation","recommended_by":["SVN","KEN"],"action_category":"4","issues":["Rights of the Child","Trafficking"],"text":"Protect children from trafficking."}
{"seq":2,"subject":"UPR1-DZA-0001","party":"DZA","command":"RespondToRecommendation","response":"Accepted"}
{"seq":3,"subject":"UPR1-DZA-0001","party":"DZA","command":"RecordCommitment","origin":"accepted recommendation","title":"Protect"}
{"seq":4,"effective_at":"2009-02","subject":"UPR4-CZE-0005","party":"CZE","command":"RecordRecommendation","recommended_by":["DZA"],"action_category":"4","issues":["Migrants"],"text":"Ratify."}
{"seq":5,"subject":"UPR4-CZE-0005","party":"CZE","command":"RespondToRecommendation","response":"Noted"}
"#;

    fn root() -> Root {
        Root {
            partner: "root".parse().unwrap(),
            party: "ledger".parse().unwrap(),
        }
    }

    fn record(command: &Command) -> Option<&RecordCommitment> {
        if let CommandBody::RecordCommitment(record) = &command.body {
            Some(record)
        } else {
            None
        }
    }

    fn records(import: &UprImport) -> Vec<&RecordCommitment> {
        import.commands.iter().filter_map(record).collect()
    }

    #[test]
    fn an_accepted_recommendation_becomes_a_commitment_to_each_of_its_themes() {
        let import = import(LINES.lines(), &root());
        assert!(
            import.refused_lines.is_empty(),
            "{:?}",
            import.refused_lines
        );
        assert_eq!(
            (
                import.recommendation_count,
                import.accepted_count,
                import.noted_count
            ),
            (2, 1, 1)
        );
        let [record] = records(&import)[..] else {
            panic!("one commitment");
        };
        let codes: Vec<_> = record.actions.iter().map(ActionCode::as_str).collect();
        assert_eq!(codes, ["UPR-RightsOfTheChild", "UPR-Trafficking"]);
        assert_eq!(record.made.unwrap().to_string(), "2008-04");
        assert_eq!(
            record.description.as_deref(),
            Some("Protect children from trafficking.\n\nRecommended by SVN, KEN.")
        );
        let names: Vec<_> = import
            .commands
            .iter()
            .map(|command| command.body.command_type().name())
            .collect();
        assert_eq!(
            names,
            [
                "register_partner",
                "publish_instrument",
                "catalogue_action",
                "catalogue_action",
                "map_actions",
                "record_commitment"
            ]
        );
    }

    #[test]
    fn every_command_is_one_that_the_ledger_reads() {
        for command in import(LINES.lines(), &root()).commands {
            let bytes = command.encode();
            assert_eq!(
                Command::decode(&bytes, &Policy::default()),
                Ok(command),
                "{}",
                bytes.escape_ascii()
            );
        }
    }

    #[test]
    fn a_second_import_makes_the_same_bytes_and_no_id_stands_twice() {
        let (first, second) = (
            import(LINES.lines(), &root()),
            import(LINES.lines(), &root()),
        );
        let bytes = |import: &UprImport| -> Vec<_> {
            import.commands.iter().map(Command::encode).collect()
        };
        assert_eq!(bytes(&first), bytes(&second));
        let ids: BTreeSet<_> = first.commands.iter().map(|command| command.id).collect();
        assert_eq!(ids.len(), first.commands.len());
    }

    #[test]
    fn a_line_that_cannot_be_used_is_named_and_stops_nothing() {
        let lines = [
            "not json",
            r#"{"command":"RecordCommitment","subject":"UPR1-DZA-0009"}"#,
            r#"{"command":"Other"}"#,
        ];
        let bad = import(lines.into_iter().chain(LINES.lines()), &root());
        let numbers: Vec<_> = bad.refused_lines.iter().map(|error| error.line).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert!(matches!(bad.refused_lines[1].fault, LineFault::Unknown(_)));
        assert_eq!(bad.accepted_count, 1);
    }

    #[test]
    fn a_long_text_is_cut_at_a_word_for_the_title() {
        let text = "word ".repeat(100);
        let title = title(&text);
        assert!(title.chars().count() <= TITLE_CHARS_MAX);
        assert!(title.ends_with("word…"));
        assert_eq!(super::title("short"), "short");
    }

    #[test]
    fn the_real_file_gives_2654_commitments_and_skips_878() {
        let data = std::env::var_os("LEDGER_TEST_DATA").map_or_else(
            || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
            std::path::PathBuf::from,
        );
        let file = data.join("upr/upr_migration_commands.jsonl");
        let Ok(text) = std::fs::read_to_string(&file) else {
            eprintln!("skipped: there is no {}", file.display());
            return;
        };
        let import = import(text.lines(), &root());
        assert!(
            import.refused_lines.is_empty(),
            "{:?}",
            import.refused_lines
        );
        assert_eq!(import.recommendation_count, 3532);
        assert_eq!((import.accepted_count, import.noted_count), (2654, 878));
        assert_eq!(records(&import).len(), 2654);
        for command in &import.commands {
            let decoded = Command::decode(&command.encode(), &Policy::default());
            assert_eq!(decoded.as_ref(), Ok(command));
        }
    }
}
