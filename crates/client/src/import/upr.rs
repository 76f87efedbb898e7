//! Recommendations of the Universal Periodic Review as commitments.
//!
//! The input is neutral JSON lines: a recommendation (`RecordRecommendation`), the State's answer to it
//! (`RespondToRecommendation`), and, where it was accepted, `RecordCommitment`. A recommendation that a State accepted
//! becomes a commitment of that State, attached to every theme it has. One that was only noted, or has no answer yet, is
//! not a commitment: it is counted and skipped.
//!
//! The importer sends as a partner of its own, which root registers first. The State parties and the objectives that
//! themes are mapped to must be in the ledger already: they come with the reference catalogue.

use super::members;
use super::outbox::Outbox;
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
use std::collections::{BTreeMap, HashMap};
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

/// What an import comes to. Every count is of different recommendations: one that stands on two lines counts once, and
/// where a State answered twice its last answer counts.
#[derive(Debug, Default)]
pub struct UprImport {
    /// The commands in the order in which they are to be sent.
    pub commands: Vec<Command>,
    /// Recommendations read.
    pub recommendation_count: u64,
    /// Those among them that were accepted.
    pub accepted_count: u64,
    /// Those that were noted, not accepted: skipped.
    pub noted_count: u64,
    /// Those without an answer, or with one that the importer does not know: skipped.
    pub unanswered_count: u64,
    /// Commitments: accepted recommendations that the file has as commitments.
    pub commitment_count: u64,
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
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Recommendation {
    subject: String,
    party: String,
    effective_at: String,
    recommended_by: Vec<String>,
    issues: Vec<String>,
    text: String,
}

/// A State's answer to a recommendation.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Accepted,
    Noted,
    /// In words that the importer does not know.
    Other(String),
}

impl Answer {
    /// Reads the answer. The review's older records say "accepted" and "rejected", its newer ones "supported" and
    /// "noted"; only the two of acceptance are a commitment.
    fn read(words: &str) -> Self {
        let folded = words
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase();
        match folded.as_str() {
            "accepted" | "supported" => Self::Accepted,
            "noted" | "rejected" | "not accepted" | "not supported" => Self::Noted,
            _ => Self::Other(words.to_owned()),
        }
    }
}

/// A recommendation with all that the file says of it.
struct Case {
    line: u64,
    recommendation: Recommendation,
    answer: Option<Answer>,
}

impl Case {
    /// Why it is no commitment, unless it was accepted.
    fn not_accepted(&self) -> Result<(), LineFault> {
        let answer = match &self.answer {
            Some(Answer::Accepted) => return Ok(()),
            Some(Answer::Noted) => "the State only noted the recommendation".to_owned(),
            Some(Answer::Other(words)) => format!("the State's last answer is `{words}`"),
            None => "the file has no answer of the State".to_owned(),
        };
        Err(LineFault::NotAccepted {
            subject: self.recommendation.subject.clone(),
            answer,
        })
    }
}

/// Turns the lines of a review file into commands: first the partner, the instrument and its actions, then the
/// commitments in the order of the file. `root` is the ledger's root partner, which registers the importer.
///
/// A line that says `RecordCommitment` is taken at its word only where the State's last answer in the file accepts: the
/// log cannot forget a false pledge. The same lines give the same commands, byte for byte, whenever and wherever they are
/// read.
pub fn import<'a>(lines: impl IntoIterator<Item = &'a str>, root: &Root) -> UprImport {
    let sender = sender();
    let mut import = UprImport::default();
    let mut cases: HashMap<String, Case> = HashMap::new();
    let mut asked: Vec<(u64, String)> = Vec::new();
    let mut refused = each_line(lines, |line, text| {
        match serde_json::from_str(text).map_err(LineFault::Record)? {
            Record::Recommendation(recommendation) => add_case(&mut cases, line, recommendation),
            Record::Response { subject, response } => answered(&mut cases, &subject, &response),
            Record::Commitment { subject } => {
                known(&cases, &subject)?;
                asked.push((line, subject));
                Ok(())
            }
        }
    });
    import.count(cases.values());
    let mut outbox = Outbox::default();
    let mut actions = BTreeMap::new();
    for (line, subject) in asked {
        let edits = &mut import.edits;
        match commit(
            &sender,
            &cases,
            (line, &subject),
            &mut actions,
            edits,
            &mut outbox,
        ) {
            Ok(is_new) => import.commitment_count += u64::from(is_new),
            Err(fault) => refused.push(LineError { line, fault }),
        }
    }
    match preparation(&sender, &actions, root) {
        Ok(commands) => import.commands = commands,
        Err(error) => refused.push(LineError {
            line: 0,
            fault: error.into(),
        }),
    }
    import.commands.extend(outbox.into_commands());
    refused.sort_by_key(|error| error.line);
    import.refused_lines = refused;
    import
}

impl UprImport {
    fn count<'a>(&mut self, cases: impl Iterator<Item = &'a Case>) {
        for case in cases {
            self.recommendation_count += 1;
            match case.answer {
                Some(Answer::Accepted) => self.accepted_count += 1,
                Some(Answer::Noted) => self.noted_count += 1,
                Some(Answer::Other(_)) | None => self.unanswered_count += 1,
            }
        }
    }
}

fn add_case(
    cases: &mut HashMap<String, Case>,
    line: u64,
    recommendation: Recommendation,
) -> Result<(), LineFault> {
    if let Some(earlier) = cases.get(&recommendation.subject) {
        if earlier.recommendation == recommendation {
            return Ok(());
        }
        return Err(LineFault::Contradiction {
            first: earlier.line,
            what: recommendation.subject,
        });
    }
    let case = Case {
        line,
        recommendation,
        answer: None,
    };
    cases.insert(case.recommendation.subject.clone(), case);
    Ok(())
}

fn answered(
    cases: &mut HashMap<String, Case>,
    subject: &str,
    response: &str,
) -> Result<(), LineFault> {
    let case = cases
        .get_mut(subject)
        .ok_or_else(|| LineFault::Unknown(subject.to_owned()))?;
    let answer = case.answer.insert(Answer::read(response));
    match answer {
        Answer::Accepted | Answer::Noted => Ok(()),
        Answer::Other(words) => Err(LineFault::Answer(words.clone())),
    }
}

fn sender() -> Sender {
    Sender {
        namespace: NAMESPACE,
        since: FIRST_SESSION.parse().ok(),
    }
}

fn known<'a>(cases: &'a HashMap<String, Case>, subject: &str) -> Result<&'a Case, LineFault> {
    cases
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
                language: None,
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
        let mapped = actions.iter().find(|(_, title)| *title == mapping.theme);
        if let Some((from, _)) = mapped {
            let name = format!("map_actions {from} {}", mapping.objective);
            let body = CommandBody::MapActions(MapActions {
                from: from.clone(),
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

/// Adds the commitment of an accepted recommendation to the outbox, and its themes to `actions`; whether it is new.
fn commit(
    sender: &Sender,
    cases: &HashMap<String, Case>,
    (line, subject): (u64, &str),
    actions: &mut BTreeMap<ActionCode, String>,
    edits: &mut Edits,
    outbox: &mut Outbox,
) -> Result<bool, LineFault> {
    let case = known(cases, subject)?;
    case.not_accepted()?;
    let recommendation = &case.recommendation;
    let mut themes = BTreeMap::new();
    for name in &recommendation.issues {
        let theme = themes::theme(name)?;
        themes.insert(theme.code, theme.title);
    }
    let codes = themes.keys().cloned().collect();
    let mut edited = *edits;
    let command = commitment(sender, recommendation, codes, &mut edited)?;
    let is_new = outbox.add(line, subject, command)?;
    if is_new {
        *edits = edited;
        actions.extend(themes);
    }
    Ok(is_new)
}

/// The commitment of an accepted recommendation.
fn commitment(
    sender: &Sender,
    recommendation: &Recommendation,
    actions: Vec<ActionCode>,
    edits: &mut Edits,
) -> Result<Command, LineFault> {
    let state = members::state(&recommendation.party).ok_or_else(|| LineFault::Member {
        code: recommendation.party.clone(),
        or_local: "",
    })?;
    let made: PartialDate = recommendation
        .effective_at
        .parse()
        .map_err(|_| LineFault::Date(recommendation.effective_at.clone()))?;
    let subject = &recommendation.subject;
    let text = edits.clean(&recommendation.text);
    let recommenders = recommenders(edits, recommendation);
    let description = edits.fitting(&text, &recommenders);
    let body = RecordCommitment {
        language: None,
        title: title(&text),
        description: Some(description),
        actions,
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
            reference: edits.clean_line(subject),
            url: None,
        }),
        illustrative: false,
        milestones: Vec::new(),
    };
    Ok(sender.command(
        &format!("record_commitment {subject}"),
        (&PARTNER.parse()?, &PartyId::try_from(state.code.as_str())?),
        Subject::Commitment(sender.commitment(subject)),
        Some(made),
        CommandBody::RecordCommitment(body),
    ))
}

/// Who recommended it, as a paragraph after the text.
fn recommenders(edits: &mut Edits, recommendation: &Recommendation) -> String {
    if recommendation.recommended_by.is_empty() {
        return String::new();
    }
    let states = edits.clean(&recommendation.recommended_by.join(", "));
    format!("\n\nRecommended by {states}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_domain::wire::v1::Policy;
    use std::collections::BTreeSet;

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

    fn recommendation(subject: &str, issues: &str) -> String {
        format!(
            r#"{{"command":"RecordRecommendation","subject":"{subject}","party":"KEN","effective_at":"2020-01","recommended_by":["NOR"],"issues":["{issues}"],"text":"Made up: {subject}."}}"#
        )
    }

    fn answer(subject: &str, response: &str) -> String {
        format!(
            r#"{{"command":"RespondToRecommendation","subject":"{subject}","response":"{response}"}}"#
        )
    }

    fn commit(subject: &str) -> String {
        format!(r#"{{"command":"RecordCommitment","subject":"{subject}"}}"#)
    }

    /// Commitments, counts (read, accepted, noted, unanswered) and the numbers of the lines refused.
    fn imported(lines: &[String]) -> (usize, [u64; 4], Vec<u64>) {
        let import = import(lines.iter().map(String::as_str), &root());
        assert_eq!(import.commitment_count, records(&import).len() as u64);
        let counts = [
            import.recommendation_count,
            import.accepted_count,
            import.noted_count,
            import.unanswered_count,
        ];
        let refused = import.refused_lines.iter().map(|error| error.line);
        (records(&import).len(), counts, refused.collect())
    }

    #[test]
    fn only_what_the_state_accepted_last_is_its_commitment() {
        let n = |subject| recommendation(subject, "Migrants");
        // Noted, and yet said to be a commitment; not answered.
        let noted = [n("N-1"), answer("N-1", "Noted"), commit("N-1")];
        assert_eq!(imported(&noted), (0, [1, 0, 1, 0], vec![3]));
        assert_eq!(
            imported(&[n("N-2"), commit("N-2")]),
            (0, [1, 0, 0, 1], vec![2])
        );
        // In the review's newer words, and in other case.
        for word in ["Supported", "supported", " ACCEPTED "] {
            let lines = [n("N-3"), answer("N-3", word), commit("N-3")];
            assert_eq!(imported(&lines), (1, [1, 1, 0, 0], vec![]), "{word}");
        }
        // The last answer counts, wherever the commitment's line stands.
        let [first, last] = [answer("N-4", "Noted"), answer("N-4", "Accepted")];
        let accepted = [n("N-4"), commit("N-4"), first.clone(), last.clone()];
        assert_eq!(imported(&accepted), (1, [1, 1, 0, 0], vec![]));
        let taken_back = [n("N-4"), last, commit("N-4"), first];
        assert_eq!(imported(&taken_back), (0, [1, 0, 1, 0], vec![3]));
    }

    #[test]
    fn an_answer_in_unknown_words_is_named_and_accepts_nothing() {
        for word in ["Partially accepted", "Accepted in part", "No response", ""] {
            let lines = [
                recommendation("N-1", "Migrants"),
                answer("N-1", "Accepted"),
                answer("N-1", word),
                commit("N-1"),
            ];
            assert_eq!(imported(&lines), (0, [1, 0, 0, 1], vec![3, 4]), "{word}");
        }
    }

    #[test]
    fn a_repeated_line_counts_once_and_a_contradiction_is_named() {
        let n = recommendation("N-5", "Migrants");
        let yes = answer("N-5", "Accepted");
        let twice = [
            n.clone(),
            n.clone(),
            yes.clone(),
            yes,
            commit("N-5"),
            commit("N-5"),
        ];
        assert_eq!(imported(&twice), (1, [1, 1, 0, 0], vec![]));
        let other = n.replace("Made up", "Otherwise");
        let contradiction = [n, other, answer("N-5", "Accepted"), commit("N-5")];
        assert_eq!(imported(&contradiction), (1, [1, 1, 0, 0], vec![2]));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_record() {
        let with_mark = LINES.replacen('{', "\u{feff}{", 1);
        let marked = import(with_mark.lines(), &root());
        assert!(
            marked.refused_lines.is_empty(),
            "{:?}",
            marked.refused_lines
        );
        assert_eq!(marked.commands, import(LINES.lines(), &root()).commands);
    }

    #[test]
    fn a_theme_has_one_code_and_title_in_every_file() {
        let file = |theme| {
            let lines = [
                recommendation("N-7", theme),
                answer("N-7", "Accepted"),
                commit("N-7"),
            ];
            import(lines.iter().map(String::as_str), &root()).commands
        };
        assert_eq!(file("Migrants"), file("migrants"));
        let foreign = [
            recommendation("N-8", "Réfugiés"),
            answer("N-8", "Accepted"),
            commit("N-8"),
        ];
        assert_eq!(imported(&foreign), (0, [1, 1, 0, 0], vec![3]));
    }

    #[test]
    fn a_state_is_known_by_its_code_in_any_case_and_nobody_else_is() {
        for (party, lead) in [
            ("ken", Some("KEN")),
            ("KE", Some("KEN")),
            ("ZZZ", None),
            ("PSE", None),
        ] {
            let lines = [
                recommendation("N-9", "Migrants").replace("KEN", party),
                answer("N-9", "Accepted"),
                commit("N-9"),
            ];
            let import = import(lines.iter().map(String::as_str), &root());
            let leads = import
                .commands
                .iter()
                .filter(|command| record(command).is_some());
            let leads: Vec<_> = leads.map(|command| command.party.as_str()).collect();
            assert_eq!(leads, Vec::from_iter(lead), "{party}");
            assert_eq!(import.refused_lines.len(), usize::from(lead.is_none()));
        }
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
