//! Recommendations of the Universal Periodic Review as commitments.
//!
//! The input is neutral JSON lines: a recommendation (`RecordRecommendation`), the State's answer to it
//! (`RespondToRecommendation`), and, where it was accepted, `RecordCommitment`. A recommendation that a State accepted
//! becomes a commitment of that State, attached to every theme it has. One that was only noted is no commitment: it is
//! counted and skipped.
//!
//! The importer sends as a partner of its own, which root registers first. The State parties and the objectives that
//! themes are mapped to must be in the ledger already: they come with the reference catalogue.

use super::records::each_line;
use super::sender::Sender;
use super::texts::title;
use super::themes::{self, MAPPINGS};
use super::{Edits, LineError, LineFault};
use ledger_domain::country;
use ledger_domain::date::PartialDate;
use ledger_domain::ids::{ActionCode, IdError, InstrumentId, PartnerId, PartyId, Subject};
use ledger_domain::wire::v1::{
    ActionKind, CatalogueAction, Command, CommandBody, InstrumentKind, MapActions,
    PublishInstrument, RecordCommitment, RegisterPartner, Role, Root, Source, TextStatus,
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    /// What was done to their texts.
    pub edits: Edits,
    /// Lines that could not be used, each with why.
    pub refused_lines: Vec<LineError>,
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
    let sender = sender();
    let mut import = UprImport::default();
    let mut recommendations: HashMap<String, Recommendation> = HashMap::new();
    let mut actions: BTreeMap<ActionCode, String> = BTreeMap::new();
    let mut commitments = Vec::new();
    import.refused_lines = each_line(lines, |_, line| {
        match serde_json::from_str(line).map_err(LineFault::Record)? {
            Record::Recommendation(recommendation) => {
                import.recommendation_count += 1;
                recommendations.insert(recommendation.subject.clone(), recommendation);
            }
            Record::Response { subject, response } => {
                import.noted_count += u64::from(response != "Accepted");
                known(&recommendations, &subject)?;
            }
            Record::Commitment { subject } => {
                let recommendation = known(&recommendations, &subject)?;
                let edits = &mut import.edits;
                commitments.push(commitment(&sender, recommendation, &mut actions, edits)?);
                import.accepted_count += 1;
            }
        }
        Ok(())
    });
    match preparation(&sender, &actions, root) {
        Ok(commands) => import.commands = commands,
        Err(error) => import.refused_lines.push(LineError {
            line: 0,
            fault: error.into(),
        }),
    }
    import.commands.extend(commitments);
    import
}

fn sender() -> Sender {
    Sender {
        namespace: NAMESPACE,
        since: FIRST_SESSION.parse().ok(),
    }
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
    sender: &Sender,
    actions: &BTreeMap<ActionCode, String>,
    root: &Root,
) -> Result<Vec<Command>, IdError> {
    let partner: PartnerId = PARTNER.parse()?;
    let instrument: InstrumentId = INSTRUMENT.parse()?;
    let about_instrument = |name: &str, body| {
        let subject = Subject::Instrument(instrument.clone());
        sender.command(name, (&partner, &root.party), subject, None, body)
    };
    let mut commands = vec![
        sender.command(
            "register_partner",
            (&root.partner, &root.party),
            Subject::Partner(partner.clone()),
            None,
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
        focal_point_for: Vec::new(),
    })
}

/// The commitment of an accepted recommendation; its themes are added to `actions`.
fn commitment(
    sender: &Sender,
    recommendation: &Recommendation,
    actions: &mut BTreeMap<ActionCode, String>,
    edits: &mut Edits,
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
    let text = edits.clean(&recommendation.text);
    let body = RecordCommitment {
        title: title(&text),
        description: Some(edits.fitting(&text, &recommenders(recommendation))),
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
        milestones: Vec::new(),
    };
    Ok(sender.command(
        &format!("record_commitment {subject}"),
        (&PARTNER.parse()?, &recommendation.party.parse()?),
        Subject::Commitment(sender.commitment(subject)),
        Some(made),
        CommandBody::RecordCommitment(body),
    ))
}

/// Who recommended it, as a paragraph after the text.
fn recommenders(recommendation: &Recommendation) -> String {
    if recommendation.recommended_by.is_empty() {
        return String::new();
    }
    let states = recommendation.recommended_by.join(", ");
    format!("\n\nRecommended by {states}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_domain::wire::v1::Policy;

    const LINES: &str = include_str!("../../../../seeds/samples/upr.jsonl");

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
            (3, 2, 1)
        );
        assert_eq!(import.edits, Edits::default());
        let [record, other] = records(&import)[..] else {
            panic!("two commitments");
        };
        let codes: Vec<_> = record.actions.iter().map(ActionCode::as_str).collect();
        assert_eq!(codes, ["UPR-Labour", "UPR-Migrants"]);
        assert_eq!(record.made.unwrap().to_string(), "2010-05");
        assert_eq!(other.made.unwrap().to_string(), "2014");
        assert_eq!(
            other.description.as_deref(),
            Some(
                "Made up, nobody recommended this: train labour inspectors to recognise forced labour.\n\n\
                 Recommended by KEN, PRT."
            )
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
                "catalogue_action",
                "map_actions",
                "map_actions",
                "record_commitment",
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
            r#"{"command":"RecordCommitment","subject":"UPR1-DZA-0001"}"#,
            r#"{"command":"Other"}"#,
        ];
        let bad = import(lines.into_iter().chain(LINES.lines()), &root());
        let numbers: Vec<_> = bad.refused_lines.iter().map(|error| error.line).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert!(matches!(bad.refused_lines[1].fault, LineFault::Unknown(_)));
        assert_eq!(bad.accepted_count, 2);
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
        assert_eq!(import.edits, Edits::default());
        for command in &import.commands {
            let decoded = Command::decode(&command.encode(), &Policy::default());
            assert_eq!(decoded.as_ref(), Ok(command));
        }
    }
}
