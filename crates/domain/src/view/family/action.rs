//! The views of actions: counts and bodies.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use super::body::bounded;
use super::coverage::coverage;
use super::family_view::FamilyRef;
use super::sign::Sign;
use super::tally::{self, Tally};
use crate::ids::CountryCode;
use crate::view::family::ViewFamily;
use crate::view::read_model::facts::{CommitmentFacts, PartState};
use crate::view::read_model::index::{ActionIndex, Keys, PartyIndex};
use crate::view::read_model::tables::{About, Tables};
use crate::wire::v1::view::{
    ActionBody, ActionRollup, ActionTally, CommittedParties, MappedCommitments, Mappings,
    ParticipationRole, Participations, ParticipationsBeside, ViewKind,
};

/// The most bytes that a table of mappings may take in a body. An objective has two.
const MAPPINGS_BYTES: usize = 16 * 1024;

/// The views of actions.
pub(crate) struct ActionFamily;

/// The counts of one action: commitments that name it, and, apart from those, commitments that only
/// name an action under it. The two share no commitment, so an objective's roll-up is their sum.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ActionCounts {
    own: Own,
    beneath: Own,
}

/// Commitments and the participations in those that stand.
#[derive(Debug, Default, PartialEq)]
struct Own {
    tally: Tally,
    participations: ParticipationsBeside,
}

impl ViewFamily for ActionFamily {
    type Key = ActionIndex;
    type Counts = ActionCounts;
    type Body = ActionBody;

    fn memberships(tables: &Tables, facts: &CommitmentFacts) -> Keys<ActionIndex> {
        tables.lineages(facts.actions())
    }

    fn count_terms(
        counts: &mut ActionCounts,
        action: ActionIndex,
        _: &Tables,
        facts: &CommitmentFacts,
        sign: Sign,
    ) {
        let counts = counts.of(action, facts);
        counts.tally.count_terms(facts, sign);
        if facts.is_active() {
            for part in facts.participations() {
                tally::count_part(&mut counts.participations, *part, sign);
            }
        }
    }

    fn count_progress(
        counts: &mut ActionCounts,
        action: ActionIndex,
        _: &Tables,
        facts: &CommitmentFacts,
        sign: Sign,
    ) {
        counts.of(action, facts).tally.count_progress(facts, sign);
    }

    fn owns(_: ActionIndex, _: &Tables, _: &CommitmentFacts) -> bool {
        true
    }

    fn role(
        _: ActionIndex,
        _: &Tables,
        _: &CommitmentFacts,
    ) -> Option<(ParticipationRole, PartState)> {
        None
    }

    fn concerned(_: &Tables, about: &About) -> Keys<ActionIndex> {
        match about {
            About::Actions(actions) => Keys::from_slice(actions),
            About::Other
            | About::Recorded(_)
            | About::Reported
            | About::Commitment
            | About::Party(_)
            | About::Statement(_) => Keys::new(),
        }
    }

    fn echoes(tables: &Tables, action: ActionIndex) -> Keys<ActionIndex> {
        tables.lineages(tables.maps_to(action))
    }

    /// An action shows how many of those under it have commitments, and the commitments of those that map to it or to one under it.
    fn sources(tables: &Tables, action: ActionIndex) -> Vec<(ActionIndex, Vec<ActionIndex>)> {
        let mut own = tables.beneath(action);
        own.push(action);
        let mapped = mapped_to(tables, &own).into_iter();
        let mut sources: Vec<_> = mapped
            .map(|from| {
                let counted_already = own.contains(&from);
                (from, if counted_already { vec![] } else { vec![from] })
            })
            .collect();
        sources.push((action, own));
        sources
    }

    fn standing(tables: &Tables) -> Vec<ActionIndex> {
        tables.catalogued().collect()
    }

    fn parse(tables: &Tables, key: &str) -> Option<ActionIndex> {
        tables.find_action(key)
    }

    fn text(tables: &Tables, action: ActionIndex) -> String {
        tables.action_code(action).to_owned()
    }

    fn title(tables: &Tables, action: ActionIndex) -> Option<String> {
        tables.action_title(action).map(str::to_owned)
    }

    fn body(
        view: FamilyRef<'_, ActionIndex, ActionCounts>,
        action: ActionIndex,
    ) -> Option<ActionBody> {
        let (tables, counts) = (view.tables(), view.counts(action));
        let entry = tables.action(action)?;
        Some(ActionBody {
            view: ViewKind::Action,
            action: entry.code.to_string(),
            instrument: entry
                .instrument
                .map(|instrument| tables.instrument_id(instrument).to_owned()),
            parent: entry
                .parent
                .map(|parent| tables.action_code(parent).to_owned()),
            text_status: entry.text_status,
            last: view.last_change(action).into(),
            own: tally_body(tables, &[&counts.own]),
            rollup: (!entry.children.is_empty()).then(|| {
                let mut beneath = tables.beneath(action);
                let without = |&&action: &&ActionIndex| view.counts(action).active() == 0;
                let actions_without_commitment = beneath.iter().filter(without).count();
                let actions = beneath.len();
                beneath.push(action);
                ActionRollup {
                    actions,
                    actions_without_commitment,
                    tally: tally_body(tables, &[&counts.own, &counts.beneath]),
                    mapped: mappings(view, &beneath),
                }
            }),
            mapped: mappings(view, &[action]),
        })
    }
}

/// The actions that map to any of these, each once.
fn mapped_to(tables: &Tables, actions: &[ActionIndex]) -> BTreeSet<ActionIndex> {
    let entries = actions.iter().filter_map(|&action| tables.action(action));
    entries
        .flat_map(|entry| &entry.mapped_from)
        .copied()
        .collect()
}

/// The mappings of any of these actions.
fn mappings(view: FamilyRef<'_, ActionIndex, ActionCounts>, actions: &[ActionIndex]) -> Mappings {
    let mapped = mapped_to(view.tables(), actions).into_iter().map(|from| {
        let counts = view.counts(from);
        let mapped = MappedCommitments {
            recorded: counts.recorded(),
            active: counts.active(),
        };
        (view.tables().action_code(from).to_owned(), mapped)
    });
    let (mapped_from_commitments, mappings_left_out) =
        bounded(mapped, |mapped| mapped.recorded, MAPPINGS_BYTES);
    Mappings {
        mapped_from_commitments,
        mappings_left_out,
    }
}

impl ActionCounts {
    /// The counts that a commitment belongs to: it names the action, or only one under it.
    fn of(&mut self, action: ActionIndex, facts: &CommitmentFacts) -> &mut Own {
        if facts.actions().contains(&action) {
            &mut self.own
        } else {
            &mut self.beneath
        }
    }

    /// The active commitments on the action or under it.
    fn active(&self) -> u64 {
        self.own.tally.active() + self.beneath.tally.active()
    }

    /// The commitments ever recorded on the action or under it.
    fn recorded(&self) -> u64 {
        self.own.tally.recorded() + self.beneath.tally.recorded()
    }
}

/// The sum of counts that share no commitment. Parties and countries are united, not added.
fn tally_body(tables: &Tables, counts: &[&Own]) -> ActionTally {
    let tallies: SmallVec<[&Tally; 2]> = counts.iter().map(|own| &own.tally).collect();
    let (commitments, active_commitments, apart) = tally::sum(tables, &tallies);
    let mut beside = ParticipationsBeside::default();
    for own in counts {
        beside.add(&own.participations);
    }
    let leading: FxHashSet<PartyIndex> = tallies
        .iter()
        .flat_map(|tally| tally.leading.keys().copied())
        .collect();
    let countries: FxHashSet<CountryCode> = leading
        .iter()
        .filter_map(|&party| tables.country_of(party))
        .collect();
    let (member_states, member_states_by_region) = coverage(
        leading
            .iter()
            .filter_map(|&party| tables.member_state(party)),
    );
    ActionTally {
        commitments,
        active_commitments,
        apart,
        participations: Participations {
            lead: tallies.iter().map(|tally| tally.active()).sum(),
            beside,
        },
        parties: CommittedParties {
            committed: leading.len(),
        },
        countries: CommittedParties {
            committed: countries.len(),
        },
        member_states,
        member_states_by_region,
    }
}
