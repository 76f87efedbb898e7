//! Logs in small: each step is one event, by numbers into the tables.

use proptest::prelude::*;

use crate::wire::v1::{Completion, ContestOutcome, Outcome, PartyKind, Stage};

pub(super) const PARTIES: [(&str, PartyKind, Option<&str>); 7] = [
    ("KEN", PartyKind::MemberState, Some("KEN")),
    ("MEX", PartyKind::MemberState, Some("MEX")),
    ("VAT", PartyKind::Observer, Some("VAT")),
    ("nairobi", PartyKind::LocalAuthority, Some("KEN")),
    ("aruba-chamber", PartyKind::PrivateSector, Some("ABW")),
    ("IOM", PartyKind::UnEntity, None),
    ("AU", PartyKind::RegionalOrganization, None),
];
/// Code, instrument, parent.
pub(super) const ACTIONS: [(&str, &str, Option<&str>); 7] = [
    ("GCM-05", "GCM-2018", None),
    ("GCM-05a", "GCM-2018", Some("GCM-05")),
    ("GCM-05b", "GCM-2018", Some("GCM-05")),
    ("SDG-10.7", "SDG-10.7", None),
    ("SDG-10.7.2", "SDG-10.7", Some("SDG-10.7")),
    ("UPR-Trafficking", "UPR", None),
    ("UPR-Asylum", "UPR", None),
];
/// Each sends two events, then the next.
pub(super) const PARTNERS: [&str; 3] = ["partner", "import-upr", "city_1"];
pub(super) const DATES: [Option<&str>; 8] = [
    None,
    Some("2025"),
    Some("2026-03"),
    Some("2026-03-31"),
    Some("2030-12-31"),
    // The year in which the first events are recorded, from its fifth month on.
    Some("2026"),
    Some("2025-01-01"),
    Some("2026-12"),
];
/// Method and version.
pub(super) const METHODS: [(&str, &str); 3] = [("IRM", "2014"), ("IRM", "2021"), ("Peers", "1")];

/// One event. A `report`, `contest` or `assessment` counts back from the newest of its commitment.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Party(usize),
    Deactivate(usize, bool),
    Rename(usize, &'static str),
    Catalogue(usize, Option<usize>),
    Retext(usize),
    Map(usize, Vec<usize>),
    Record {
        commitment: u8,
        lead: usize,
        actions: Vec<usize>,
        parts: Vec<(usize, bool)>,
        due: usize,
        measured: bool,
        illustrative: bool,
    },
    Report {
        commitment: u8,
        reporter: usize,
        from: usize,
        to: usize,
        stage: usize,
        evidence: bool,
    },
    Correct {
        commitment: u8,
        report: usize,
        stage: usize,
        evidence: bool,
    },
    Retract(u8, usize),
    Contest(u8, usize),
    Answer(u8, usize),
    Resolve(u8, usize, ContestOutcome),
    Validate(u8, usize),
    Return(u8, usize),
    Amend {
        commitment: u8,
        actions: Option<Vec<usize>>,
        due: usize,
        measured: bool,
        weakened: bool,
    },
    Enlarge {
        commitment: u8,
        parts: Vec<(usize, bool)>,
        milestones: usize,
    },
    Confirm(u8, usize),
    Leave(u8, usize),
    Withdraw(u8),
    Suspend(u8),
    Resume(u8),
    Supersede(u8, u8),
    Close(u8, Outcome),
    Lapse(u8),
    Reinstate(u8),
    Reach(u8, bool),
    Assess {
        commitment: u8,
        assessor: usize,
        method: usize,
        completion: Option<Completion>,
        assessed: usize,
    },
    Ambition {
        commitment: u8,
        assessor: usize,
        method: usize,
    },
    Revise {
        commitment: u8,
        assessment: usize,
        /// With a grade of its own, that no completion translates but the one beside it.
        graded: bool,
        completion: Option<Completion>,
    },
    /// By a party.
    Attach(u8, usize, Option<usize>),
    Move(u8, u8),
    Flag(u8, u8),
    /// Some event names one piece, with a URL.
    Name(u8, Naming, Piece),
    /// The pieces without a digest count back from the newest of the commitment.
    Digest(u8, usize, u8),
    MovePlaced(u8, usize),
    FlagPlaced(u8, usize),
    /// An event of a review: opened, said by one of two parties, closed.
    Review(usize),
    Other,
}

/// What names evidence.
#[derive(Debug, Clone, Copy)]
pub(super) enum Naming {
    Report,
    Correction,
    Milestone,
    Contest,
    Assessment,
    Commitment,
    AddedToReport,
}

impl Naming {
    pub(super) const ALL: &'static [Self] = &[
        Self::Report,
        Self::Correction,
        Self::Milestone,
        Self::Contest,
        Self::Assessment,
        Self::Commitment,
        Self::AddedToReport,
    ];
}

/// A piece of evidence by its digest, or one that has none.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece {
    Digested(u8),
    Undigested,
}

pub(super) fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => reference_steps(),
        4 => record_steps(),
        17 => report_steps(),
        8 => commitment_steps(),
        8 => scrutiny_steps(),
        4 => evidence_steps(),
        1 => (0..4usize).prop_map(Step::Review),
        1 => Just(Step::Other),
    ]
}

fn party() -> std::ops::Range<usize> {
    0..PARTIES.len()
}

fn actions() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..ACTIONS.len(), 1..5)
}

/// Most events are about few commitments, so that much becomes of each.
fn commitment() -> impl Strategy<Value = u8> {
    prop_oneof![4 => 0..2u8, 1 => 0..6u8]
}

fn completion() -> impl Strategy<Value = Option<Completion>> {
    prop::option::weighted(0.8, prop::sample::select(Completion::ALL))
}

fn reference_steps() -> impl Strategy<Value = Step> {
    let action = 0..ACTIONS.len();
    let parent = prop::option::weighted(0.1, action.clone());
    prop_oneof![
        2 => party().prop_map(Step::Party),
        1 => (party(), any::<bool>()).prop_map(|(party, active)| Step::Deactivate(party, active)),
        1 => (party(), prop::sample::select(vec!["Anew", "Once more"]))
            .prop_map(|(party, name)| Step::Rename(party, name)),
        3 => (action.clone(), parent).prop_map(|(action, parent)| Step::Catalogue(action, parent)),
        1 => action.clone().prop_map(Step::Retext),
        1 => (action, actions()).prop_map(|(from, to)| Step::Map(from, to)),
    ]
}

fn parts() -> impl Strategy<Value = Vec<(usize, bool)>> {
    prop::collection::vec((party(), any::<bool>()), 0..3)
}

fn record_steps() -> impl Strategy<Value = Step> {
    let lead = prop_oneof![0..3usize, party()];
    let flags = (any::<bool>(), any::<bool>());
    (0..6u8, lead, actions(), parts(), 0..DATES.len(), flags).prop_map(
        |(commitment, lead, actions, parts, due, (measured, illustrative))| Step::Record {
            commitment,
            lead,
            actions,
            parts,
            due,
            measured,
            illustrative,
        },
    )
}

fn report_steps() -> impl Strategy<Value = Step> {
    let stage = 0..Stage::ALL.len();
    let report = || (commitment(), 0..3usize);
    let to = prop::sample::select(vec![1usize, 2, 3, 5, 7]);
    let outcome = prop::sample::select(ContestOutcome::ALL);
    prop_oneof![
        6 => (commitment(), 0..3usize, 1..3usize, to, stage.clone(), any::<bool>())
            .prop_map(|(commitment, reporter, from, to, stage, evidence)| {
                Step::Report { commitment, reporter, from, to, stage, evidence }
            }),
        3 => (report(), stage, any::<bool>()).prop_map(|((commitment, report), stage, evidence)| {
            Step::Correct { commitment, report, stage, evidence }
        }),
        1 => report().prop_map(|(commitment, report)| Step::Retract(commitment, report)),
        2 => report().prop_map(|(commitment, report)| Step::Contest(commitment, report)),
        1 => report().prop_map(|(commitment, contest)| Step::Answer(commitment, contest)),
        1 => (report(), outcome)
            .prop_map(|((commitment, contest), outcome)| Step::Resolve(commitment, contest, outcome)),
        1 => report().prop_map(|(commitment, report)| Step::Validate(commitment, report)),
        1 => report().prop_map(|(commitment, report)| Step::Return(commitment, report)),
    ]
}

fn commitment_steps() -> impl Strategy<Value = Step> {
    let amended = (
        prop::option::of(actions()),
        0..DATES.len(),
        any::<bool>(),
        any::<bool>(),
    );
    let outcome = prop::sample::select(Outcome::ALL);
    prop_oneof![
        2 => (0..6u8, amended).prop_map(|(commitment, (actions, due, measured, weakened))| {
            Step::Amend { commitment, actions, due, measured, weakened }
        }),
        1 => (commitment(), parts(), 0..3usize)
            .prop_map(|(commitment, parts, milestones)| Step::Enlarge { commitment, parts, milestones }),
        2 => (commitment(), party()).prop_map(|(commitment, party)| Step::Confirm(commitment, party)),
        1 => (commitment(), party()).prop_map(|(commitment, party)| Step::Leave(commitment, party)),
        1 => (0..6u8).prop_map(Step::Withdraw),
        1 => (0..6u8).prop_map(Step::Suspend),
        1 => (0..6u8).prop_map(Step::Resume),
        1 => (0..6u8, 0..6u8).prop_map(|(commitment, successor)| Step::Supersede(commitment, successor)),
        2 => (commitment(), outcome).prop_map(|(commitment, outcome)| Step::Close(commitment, outcome)),
        1 => commitment().prop_map(Step::Lapse),
        2 => commitment().prop_map(Step::Reinstate),
        1 => (commitment(), any::<bool>()).prop_map(|(commitment, evidence)| Step::Reach(commitment, evidence)),
    ]
}

fn scrutiny_steps() -> impl Strategy<Value = Step> {
    let report = prop::option::of(0..3usize);
    let assessor = 4..PARTIES.len();
    prop_oneof![
        4 => (commitment(), assessor.clone(), 0..METHODS.len(), completion(), 0..DATES.len())
            .prop_map(|(commitment, assessor, method, completion, assessed)| {
                Step::Assess { commitment, assessor, method, completion, assessed }
            }),
        1 => (commitment(), assessor, 0..METHODS.len())
            .prop_map(|(commitment, assessor, method)| Step::Ambition { commitment, assessor, method }),
        2 => (commitment(), 0..3usize, prop::bool::weighted(0.3), completion())
            .prop_map(|(commitment, assessment, graded, completion)| {
                Step::Revise { commitment, assessment, graded, completion }
            }),
        1 => (commitment(), party(), report)
            .prop_map(|(commitment, party, report)| Step::Attach(commitment, party, report)),
        1 => (commitment(), 0..2u8).prop_map(|(commitment, digest)| Step::Move(commitment, digest)),
        1 => (commitment(), 0..2u8).prop_map(|(commitment, digest)| Step::Flag(commitment, digest)),
    ]
}

fn evidence_steps() -> impl Strategy<Value = Step> {
    let naming = prop::sample::select(Naming::ALL);
    let piece = prop_oneof![
        2 => Just(Piece::Undigested),
        1 => (0..2u8).prop_map(Piece::Digested),
    ];
    let placed = || (commitment(), 0..3usize);
    prop_oneof![
        4 => (commitment(), naming, piece)
            .prop_map(|(commitment, naming, piece)| Step::Name(commitment, naming, piece)),
        2 => (placed(), 0..2u8)
            .prop_map(|((commitment, back), digest)| Step::Digest(commitment, back, digest)),
        1 => placed().prop_map(|(commitment, back)| Step::MovePlaced(commitment, back)),
        1 => placed().prop_map(|(commitment, back)| Step::FlagPlaced(commitment, back)),
    ]
}
