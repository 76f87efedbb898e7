//! The context of every decision but for commitments: the ledger's terms, its partners, its catalogue and its parties.
//!
//! It is a fold of the events whose subject is not a commitment, and is kept whole in memory.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::commitment::ValueMark;
use crate::ids::{
    ActionCode, CountryCode, InstrumentId, LedgerId, PartnerId, PartyId, Position, PrincipleCode,
    ReviewId, Subject, Version,
};
use crate::wire::v1::{Event, EventBody, PartyKind, PartyStatus, Policy, Role, TextStatus};

/// See the [module](self).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reference {
    ledger: Option<Ledger>,
    partners: FxHashMap<PartnerId, Partner>,
    instruments: FxHashMap<InstrumentId, Instrument>,
    actions: FxHashMap<ActionCode, Action>,
    principles: FxHashSet<PrincipleCode>,
    parties: FxHashMap<PartyId, Party>,
    reviews: FxHashMap<ReviewId, Review>,
    catalogue: Option<Position>,
    policy: Policy,
    /// Subjects and action codes in small letters, and how the first of each is written.
    spellings: FxHashMap<Box<str>, Box<str>>,
}

/// The ledger as it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// Its id.
    pub id: LedgerId,
    /// The log's verifier key.
    pub verifier_key: String,
    /// How many events its own stream has.
    pub version: Version,
}

/// A system that publishes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Partner {
    /// Whether it is the root, which registers the others.
    pub root: bool,
    /// Whether it was revoked.
    pub revoked: bool,
    /// What it may do.
    pub roles: Vec<Role>,
    /// For whom it may speak.
    pub parties: FxHashSet<PartyId>,
    /// The States whose focal point it is.
    pub focal_point_for: FxHashSet<PartyId>,
    /// What it is called.
    pub(crate) name: ValueMark,
    /// How many events its stream has.
    pub version: Version,
}

/// A source of actions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Instrument {
    /// How many events its stream has.
    pub version: Version,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Where it comes from.
    pub instrument: InstrumentId,
    /// What it stands under.
    pub parent: Option<ActionCode>,
    /// How much of its text was seen in a source.
    pub text_status: TextStatus,
    /// What it corresponds to.
    pub mapped_to: FxHashSet<ActionCode>,
    pub(crate) title: ValueMark,
    pub(crate) description: ValueMark,
    /// On what its newest mapping rests.
    pub(crate) basis: ValueMark,
}

/// One who commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// What kind of party it is.
    pub kind: PartyKind,
    /// The country it belongs to.
    pub country: Option<CountryCode>,
    /// Whether it may act.
    pub status: PartyStatus,
    /// What it is called.
    pub(crate) name: ValueMark,
    /// How many events its stream has.
    pub version: Version,
}

/// A review cycle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Review {
    /// Whether its figures are frozen.
    pub closed: bool,
    /// How many events its stream has.
    pub version: Version,
}

impl Reference {
    /// The context before position 0: nobody may do anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// The ledger, once it was opened.
    pub fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }

    /// What the ledger takes; the defaults before it was opened.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A partner, revoked ones and the root included.
    pub fn partner(&self, id: &PartnerId) -> Option<&Partner> {
        self.partners.get(id)
    }

    /// A published instrument.
    pub fn instrument(&self, id: &InstrumentId) -> Option<&Instrument> {
        self.instruments.get(id)
    }

    /// A catalogued action.
    pub fn action(&self, code: &ActionCode) -> Option<&Action> {
        self.actions.get(code)
    }

    /// Whether a published instrument has this guiding principle.
    pub fn has_principle(&self, code: &PrincipleCode) -> bool {
        self.principles.contains(code)
    }

    /// A registered party, inactive ones included.
    pub fn party(&self, id: &PartyId) -> Option<&Party> {
        self.parties.get(id)
    }

    /// A review cycle, closed ones included.
    pub fn review(&self, id: &ReviewId) -> Option<&Review> {
        self.reviews.get(id)
    }

    /// How a subject of the same kind is written whose id differs from this one in the case of letters only, or not at all.
    pub fn spelling(&self, subject: &Subject) -> Option<&str> {
        let spelling = self
            .spellings
            .get(&*subject.to_string().to_ascii_lowercase())?;
        spelling.split_once('/').map(|(_, id)| id)
    }

    /// How a catalogued action is written whose code differs from this one in the case of letters only, or not at all.
    pub fn action_spelling(&self, code: &ActionCode) -> Option<&str> {
        let spelling = self.spellings.get(&*code.as_str().to_ascii_lowercase());
        spelling.map(AsRef::as_ref)
    }

    fn spell(&mut self, text: &str) {
        let key = Box::from(text.to_ascii_lowercase());
        self.spellings.entry(key).or_insert_with(|| Box::from(text));
    }

    /// The position of the newest event of the catalogue: its version.
    pub fn catalogue(&self) -> Option<Position> {
        self.catalogue
    }

    /// The version of a subject's stream, 0 if it has none. Commitments are not kept here.
    pub fn version(&self, subject: &Subject) -> Version {
        match subject {
            Subject::Instrument(id) => self
                .instruments
                .get(id)
                .map(|instrument| instrument.version),
            Subject::Party(id) => self.parties.get(id).map(|party| party.version),
            Subject::Partner(id) => self.partners.get(id).map(|partner| partner.version),
            Subject::Ledger => self.ledger.as_ref().map(|ledger| ledger.version),
            Subject::Review(id) => self.reviews.get(id).map(|review| review.version),
            Subject::Commitment(_) => None,
        }
        .unwrap_or_default()
    }

    /// Folds one event in. Events of commitments change nothing here.
    pub fn evolve(&mut self, event: &Event) {
        let subject = &event.header.subject;
        if event.header.stream_version == Version(1) && subject.commitment().is_none() {
            self.spell(&subject.to_string());
        }
        match subject {
            Subject::Commitment(_) => {}
            Subject::Ledger => self.evolve_ledger(event),
            Subject::Partner(id) => self.evolve_partner(id, event),
            Subject::Instrument(id) => self.evolve_catalogue(id, event),
            Subject::Party(id) => self.evolve_party(id, event),
            Subject::Review(id) => self.evolve_review(id, event),
        }
    }

    fn evolve_ledger(&mut self, event: &Event) {
        let EventBody::LedgerOpened(opened) = &event.body else {
            return;
        };
        self.ledger = Some(Ledger {
            id: opened.ledger.clone(),
            verifier_key: opened.verifier_key.clone(),
            version: event.header.stream_version,
        });
        self.policy = opened.policy.clone();
        let root = Partner {
            root: true,
            parties: FxHashSet::from_iter([opened.root.party.clone()]),
            ..Partner::default()
        };
        self.spell(&Subject::Partner(opened.root.partner.clone()).to_string());
        self.spell(&Subject::Party(opened.root.party.clone()).to_string());
        self.partners.insert(opened.root.partner.clone(), root);
    }

    fn evolve_partner(&mut self, id: &PartnerId, event: &Event) {
        let partner = self.partners.entry(id.clone()).or_default();
        partner.version = event.header.stream_version;
        if let EventBody::PartnerRegistered(registered) = &event.body {
            partner.name = ValueMark::of(&registered.name);
            partner.roles.clone_from(&registered.roles);
            partner.parties = registered.parties.iter().cloned().collect();
            partner.focal_point_for = registered.focal_point_for.iter().cloned().collect();
        }
        if let EventBody::PartnerChanged(changed) = &event.body {
            if let Some(name) = &changed.name {
                partner.name = ValueMark::of(name);
            }
            if let Some(roles) = &changed.roles {
                partner.roles.clone_from(roles);
            }
            if let Some(parties) = &changed.parties {
                partner.parties = parties.iter().cloned().collect();
            }
            if let Some(states) = &changed.focal_point_for {
                partner.focal_point_for = states.iter().cloned().collect();
            }
        }
        if let EventBody::PartnerRevoked(_) = &event.body {
            partner.revoked = true;
        }
    }

    fn evolve_catalogue(&mut self, id: &InstrumentId, event: &Event) {
        self.catalogue = Some(event.header.position);
        let instrument = self.instruments.entry(id.clone()).or_default();
        instrument.version = event.header.stream_version;
        if let EventBody::InstrumentPublished(published) = &event.body {
            let codes = published
                .principles
                .iter()
                .map(|principle| principle.code.clone());
            self.principles.extend(codes);
        }
        if let EventBody::ActionCatalogued(action) = &event.body {
            self.spell(action.code.as_str());
            self.actions.insert(
                action.code.clone(),
                Action {
                    instrument: id.clone(),
                    parent: action.parent.clone(),
                    text_status: action.text_status,
                    mapped_to: FxHashSet::default(),
                    title: ValueMark::of(&action.title),
                    description: ValueMark::maybe(action.description.as_ref()),
                    basis: ValueMark::default(),
                },
            );
        }
        self.evolve_action(event);
    }

    /// What is said of an action that is catalogued already.
    fn evolve_action(&mut self, event: &Event) {
        if let EventBody::ActionTextAmended(amended) = &event.body
            && let Some(action) = self.actions.get_mut(&amended.code)
        {
            if let Some(title) = &amended.title {
                action.title = ValueMark::of(title);
            }
            if let Some(description) = &amended.description {
                action.description = ValueMark::of(description);
            }
            action.text_status = amended.text_status.unwrap_or(action.text_status);
        }
        if let EventBody::ActionsMapped(mapped) = &event.body
            && let Some(action) = self.actions.get_mut(&mapped.from)
        {
            action.mapped_to.extend(mapped.to.iter().cloned());
            if let Some(basis) = &mapped.basis {
                action.basis = ValueMark::of(basis);
            }
        }
    }

    fn evolve_party(&mut self, id: &PartyId, event: &Event) {
        if let EventBody::PartyRegistered(registered) = &event.body {
            self.parties.insert(
                id.clone(),
                Party {
                    kind: registered.kind,
                    country: registered.country,
                    status: PartyStatus::Active,
                    name: ValueMark::of(&registered.name),
                    version: event.header.stream_version,
                },
            );
        }
        if let EventBody::PartyAmended(amended) = &event.body
            && let Some(party) = self.parties.get_mut(id)
        {
            party.name = ValueMark::of(&amended.name);
            party.version = event.header.stream_version;
        }
        if let EventBody::PartyStatusChanged(changed) = &event.body
            && let Some(party) = self.parties.get_mut(id)
        {
            party.status = changed.status;
            party.version = event.header.stream_version;
        }
    }

    fn evolve_review(&mut self, id: &ReviewId, event: &Event) {
        let review = self.reviews.entry(id.clone()).or_default();
        review.version = event.header.stream_version;
        if let EventBody::ReviewClosed(_) = &event.body {
            review.closed = true;
        }
    }
}
