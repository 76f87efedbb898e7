//! Decisions about partners, the catalogue and parties.

use std::hash::Hash;

use rustc_hash::FxHashSet;
use smallvec::{SmallVec, smallvec};

use super::{Context, Decision, Route, refuse};
use crate::commitment::ValueMark;
use crate::country::{self, UnStatus};
use crate::ids::{ActionCode, CountryCode, InstrumentId, PartnerId, PartyId, Subject, Version};
use crate::reference::{Action, Partner, Party};
use crate::rejection::{Rejection, RejectionCode};
use crate::wire::v1::{
    ActionCatalogued, ActionTextAmended, ActionsMapped, AmendActionText, AmendParty,
    CatalogueAction, ChangePartner, ChangePartyStatus, InstrumentPublished, MapActions,
    PartnerChanged, PartnerRegistered, PartnerRevoked, PartyAmended, PartyKind, PartyRegistered,
    PartyStatusChanged, PublishInstrument, RegisterPartner, RegisterParty, RevokePartner, Role,
};

fn under(actions: SmallVec<[ActionCode; 4]>) -> Route {
    Route {
        country: None,
        actions,
    }
}

impl Context<'_> {
    fn partner_subject(&self) -> Result<&PartnerId, Rejection> {
        match &self.command.subject {
            Subject::Partner(id) => Ok(id),
            Subject::Commitment(_)
            | Subject::Instrument(_)
            | Subject::Party(_)
            | Subject::Review(_)
            | Subject::Ledger => self.wrong_subject(),
        }
    }

    fn instrument_subject(&self) -> Result<&InstrumentId, Rejection> {
        match &self.command.subject {
            Subject::Instrument(id) => Ok(id),
            Subject::Commitment(_)
            | Subject::Partner(_)
            | Subject::Party(_)
            | Subject::Review(_)
            | Subject::Ledger => self.wrong_subject(),
        }
    }

    fn party_subject(&self) -> Result<&PartyId, Rejection> {
        match &self.command.subject {
            Subject::Party(id) => Ok(id),
            Subject::Commitment(_)
            | Subject::Instrument(_)
            | Subject::Partner(_)
            | Subject::Review(_)
            | Subject::Ledger => self.wrong_subject(),
        }
    }

    /// Refuses to register an id that differs in the case of letters only from one that stands.
    pub(super) fn spelt_alone(&self, code: RejectionCode) -> Result<(), Rejection> {
        match self.other_spelling(&self.command.subject) {
            None => Ok(()),
            Some(other) => refuse(
                code,
                "subject",
                format!(
                    "{other} is registered, and {} differs from it in the case of letters only; use {other}, or another id",
                    self.command.subject
                ),
            ),
        }
    }

    /// The spelling of a subject that stands, and that differs from this one in the case of letters
    /// only. The party of the root stands before it is registered.
    fn other_spelling(&self, subject: &Subject) -> Option<&str> {
        let spelling = self.reference.spelling(subject)?;
        let same = subject.to_string().split_once('/').map(|(_, id)| id) == Some(spelling);
        (!same).then_some(spelling)
    }

    /// Refuses a list of parties with one that nobody can register: it differs in the case of letters only from a party that is
    /// registered or from another of the list, or it reads like the code of a country and is not that country's party.
    fn spelt_parties(&self, parties: &[PartyId], list: &str) -> Result<(), Rejection> {
        let mut spellings = FxHashSet::default();
        for (index, party) in parties.iter().enumerate() {
            let field = format!("data.{list}[{index}]");
            if !spellings.insert(party.as_str().to_ascii_lowercase()) {
                let message = format!(
                    "{party} differs from another party of the list in the case of letters only; name one of them"
                );
                return refuse(RejectionCode::DuplicateValue, &field, message);
            }
            if let Some(other) = self.other_spelling(&Subject::Party(party.clone())) {
                let message = format!(
                    "{other} is registered, and {party} differs from it in the case of letters only; name {other}"
                );
                return refuse(RejectionCode::PartyExists, &field, message);
            }
            if self.reference.party(party).is_none() {
                no_countrys_code(party, &field)?;
            }
        }
        Ok(())
    }

    /// The partner that is to be changed: it exists, is not the root, and was not revoked.
    fn changeable_partner(&self) -> Result<&Partner, Rejection> {
        let id = self.partner_subject()?;
        let Some(partner) = self.reference.partner(id) else {
            return refuse(
                RejectionCode::UnknownPartner,
                "subject",
                format!("partner {id} does not exist; register it first"),
            );
        };
        if partner.root {
            return refuse(
                RejectionCode::PartnerIsRoot,
                "subject",
                "the root partner is named when the ledger is opened; name another partner",
            );
        }
        if partner.revoked {
            return refuse(
                RejectionCode::PartnerRevoked,
                "subject",
                format!("partner {id} was revoked for good; register another id"),
            );
        }
        self.expect_version(partner.version)?;
        Ok(partner)
    }

    /// The instrument a catalogue command is about, and its version.
    fn published_instrument(&self) -> Result<(&InstrumentId, Version), Rejection> {
        let id = self.instrument_subject()?;
        let Some(instrument) = self.reference.instrument(id) else {
            return refuse(
                RejectionCode::UnknownInstrument,
                "subject",
                format!("instrument {id} is not published; publish it first"),
            );
        };
        self.expect_version(instrument.version)?;
        Ok((id, instrument.version))
    }

    /// An action that must stand under the subject's instrument.
    fn own_action(
        &self,
        id: &InstrumentId,
        code: &ActionCode,
        field: &str,
    ) -> Result<&Action, Rejection> {
        match self.reference.action(code) {
            Some(action) if action.instrument == *id => Ok(action),
            Some(_) | None => refuse(
                RejectionCode::UnknownAction,
                field,
                format!("{code} is no action of {id}; use a code of this instrument"),
            ),
        }
    }
}

pub(super) fn register_partner(context: &Context<'_>, data: &RegisterPartner) -> Decision {
    let id = context.partner_subject()?;
    if context.reference.partner(id).is_some() {
        return refuse(
            RejectionCode::PartnerExists,
            "subject",
            format!("partner {id} is registered already; ids are never reused"),
        );
    }
    context.spelt_alone(RejectionCode::PartnerExists)?;
    context.expect_version(Version(0))?;
    context.spelt_parties(&data.parties, "parties")?;
    only_states(&data.focal_point_for)?;
    let body = PartnerRegistered {
        name: data.name.clone(),
        roles: data.roles.clone(),
        parties: data.parties.clone(),
        focal_point_for: data.focal_point_for.clone(),
    };
    Ok(context.event(Version(0), None, Route::default(), body))
}

/// Only States name focal points.
fn only_states(parties: &[PartyId]) -> Result<(), Rejection> {
    let stateless = |party: &PartyId| {
        country::find(party.as_str()).is_none_or(|country| country.un_status == UnStatus::None)
    };
    match parties.iter().position(stateless) {
        None => Ok(()),
        Some(index) => refuse(
            RejectionCode::CountryMismatch,
            &format!("data.focal_point_for[{index}]"),
            "only States name focal points; name a State by its alpha-3 code",
        ),
    }
}

pub(super) fn change_partner(context: &Context<'_>, data: &ChangePartner) -> Decision {
    let partner = context.changeable_partner()?;
    let named = data.name.is_some() || data.roles.is_some();
    if !named && data.parties.is_none() && data.focal_point_for.is_none() {
        return nothing_to_change("name, roles, parties or focal_point_for");
    }
    context.spelt_parties(data.parties.as_deref().unwrap_or_default(), "parties")?;
    only_states(data.focal_point_for.as_deref().unwrap_or_default())?;
    if !changes_partner(partner, data) {
        return all_stand();
    }
    let body = PartnerChanged {
        name: data.name.clone(),
        roles: data.roles.clone(),
        parties: data.parties.clone(),
        focal_point_for: data.focal_point_for.clone(),
    };
    Ok(context.event(partner.version, None, Route::default(), body))
}

/// Whether the partner is not already as the change says, in whatever order its lists are.
fn changes_partner(partner: &Partner, data: &ChangePartner) -> bool {
    fn others<T: Eq + Hash>(new: Option<&Vec<T>>, old: &FxHashSet<T>) -> bool {
        new.is_some_and(|new| new.len() != old.len() || !new.iter().all(|it| old.contains(it)))
    }
    let name = data.name.as_deref();
    let roles: FxHashSet<Role> = partner.roles.iter().copied().collect();
    name.is_some_and(|name| partner.name != ValueMark::of(name))
        || others(data.roles.as_ref(), &roles)
        || others(data.parties.as_ref(), &partner.parties)
        || others(data.focal_point_for.as_ref(), &partner.focal_point_for)
}

pub(super) fn revoke_partner(context: &Context<'_>, data: &RevokePartner) -> Decision {
    let partner = context.changeable_partner()?;
    let body = PartnerRevoked {
        reason: data.reason.clone(),
    };
    Ok(context.event(partner.version, None, Route::default(), body))
}

pub(super) fn nothing_to_change<T>(fields: &str) -> Result<T, Rejection> {
    refuse(
        RejectionCode::NothingToChange,
        "data",
        format!("the change names no new value; give {fields}"),
    )
}

/// The refusal of a change to values that stand.
pub(super) fn all_stand<T>() -> Result<T, Rejection> {
    refuse(
        RejectionCode::NothingToChange,
        "data",
        "every value that the command names stands already; give one that differs",
    )
}

pub(super) fn publish_instrument(context: &Context<'_>, data: &PublishInstrument) -> Decision {
    let id = context.instrument_subject()?;
    if context.reference.instrument(id).is_some() {
        return refuse(
            RejectionCode::InstrumentExists,
            "subject",
            format!(
                "instrument {id} is published already; catalogue its actions, or publish another id"
            ),
        );
    }
    context.spelt_alone(RejectionCode::InstrumentExists)?;
    context.expect_version(Version(0))?;
    context.happened(data.adopted, "data.adopted")?;
    let body = InstrumentPublished {
        title: data.title.clone(),
        kind: data.kind,
        adopted: data.adopted,
        symbol: data.symbol.clone(),
        url: data.url.clone(),
        principles: data.principles.clone(),
        language: data.language.clone(),
    };
    Ok(context.event(Version(0), data.adopted, Route::default(), body))
}

pub(super) fn catalogue_action(context: &Context<'_>, data: &CatalogueAction) -> Decision {
    let (id, version) = context.published_instrument()?;
    if context.reference.action(&data.code).is_some() {
        return refuse(
            RejectionCode::ActionExists,
            "data.code",
            format!("{} is in use; codes are never reused", data.code),
        );
    }
    if let Some(other) = context.reference.action_spelling(&data.code) {
        return refuse(
            RejectionCode::ActionExists,
            "data.code",
            format!(
                "{other} is in use, and {} differs from it in the case of letters only; choose another code",
                data.code
            ),
        );
    }
    if let Some(parent) = &data.parent {
        if *parent == data.code {
            return refuse(
                RejectionCode::SelfReference,
                "data.parent",
                "an action cannot stand under itself; name another",
            );
        }
        context.own_action(id, parent, "data.parent")?;
    }
    let body = ActionCatalogued {
        code: data.code.clone(),
        title: data.title.clone(),
        parent: data.parent.clone(),
        text_status: data.text_status,
        description: data.description.clone(),
        kind: data.kind,
    };
    let route = under(smallvec![data.code.clone()]);
    Ok(context.event(version, None, route, body))
}

pub(super) fn amend_action_text(context: &Context<'_>, data: &AmendActionText) -> Decision {
    let (id, version) = context.published_instrument()?;
    let action = context.own_action(id, &data.code, "data.code")?;
    if data.title.is_none() && data.description.is_none() && data.text_status.is_none() {
        return nothing_to_change("title, description or text_status");
    }
    let other = |new: Option<&String>, old| new.is_some() && ValueMark::maybe(new) != old;
    let status = data.text_status;
    let changes = other(data.title.as_ref(), action.title)
        || other(data.description.as_ref(), action.description)
        || status.is_some_and(|status| status != action.text_status);
    if !changes {
        return all_stand();
    }
    let body = ActionTextAmended {
        code: data.code.clone(),
        title: data.title.clone(),
        description: data.description.clone(),
        text_status: data.text_status,
        reason: data.reason.clone(),
    };
    let route = under(smallvec![data.code.clone()]);
    Ok(context.event(version, None, route, body))
}

pub(super) fn map_actions(context: &Context<'_>, data: &MapActions) -> Decision {
    let (id, version) = context.published_instrument()?;
    let action = context.own_action(id, &data.from, "data.from")?;
    context.known_actions(&data.to, "data.to")?;
    if let Some(index) = data.to.iter().position(|code| *code == data.from) {
        return refuse(
            RejectionCode::SelfReference,
            &format!("data.to[{index}]"),
            "an action corresponds to itself anyway; name others",
        );
    }
    let basis = data.basis.as_ref();
    let same_basis = basis.is_none() || ValueMark::maybe(basis) == action.basis;
    if same_basis && data.to.iter().all(|code| action.mapped_to.contains(code)) {
        return all_stand();
    }
    let body = ActionsMapped {
        from: data.from.clone(),
        to: data.to.clone(),
        basis: data.basis.clone(),
    };
    let mut actions = smallvec![data.from.clone()];
    actions.extend(data.to.iter().cloned());
    Ok(context.event(version, None, under(actions), body))
}

pub(super) fn register_party(context: &Context<'_>, data: &RegisterParty) -> Decision {
    let id = context.party_subject()?;
    if context.reference.party(id).is_some() {
        return refuse(
            RejectionCode::PartyExists,
            "subject",
            format!("party {id} is registered already; ids are never reused"),
        );
    }
    context.spelt_alone(RejectionCode::PartyExists)?;
    context.expect_version(Version(0))?;
    let body = PartyRegistered {
        name: data.name.clone(),
        kind: data.kind,
        country: party_country(id, data)?,
    };
    Ok(context.event(Version(0), None, Route::default(), body))
}

/// Refuses an id that reads like the code of a country, or like `INT`, and is not an alpha-3 code in capitals.
fn no_countrys_code(id: &PartyId, field: &str) -> Result<(), Rejection> {
    match country::spelling(id.as_str()) {
        Some(code) if country::find(id.as_str()).is_none() => refuse(
            RejectionCode::CountryMismatch,
            field,
            format!(
                "{id} reads like the code {code}: a State's party id is its alpha-3 code in capitals, and other parties have other ids; choose another id"
            ),
        ),
        Some(_) | None => Ok(()),
    }
}

/// The country of a party. A State's id is its own alpha-3 code, and its country is itself; nobody else may take the code
/// of a State for an id.
fn party_country(id: &PartyId, data: &RegisterParty) -> Result<Option<CountryCode>, Rejection> {
    no_countrys_code(id, "subject")?;
    let own = country::find(id.as_str());
    let status = own.map_or(UnStatus::None, |country| country.un_status);
    let mismatch =
        |field: &str, message: String| refuse(RejectionCode::CountryMismatch, field, message);
    let state = match (data.kind, status) {
        (PartyKind::MemberState, UnStatus::Member) | (PartyKind::Observer, UnStatus::Observer) => {
            true
        }
        (PartyKind::MemberState, UnStatus::Observer | UnStatus::None) => {
            let message = format!(
                "{id} is not the alpha-3 code of a member State; a State's party id is its own code"
            );
            return mismatch("subject", message);
        }
        (_, UnStatus::Member | UnStatus::Observer) => {
            let message = format!(
                "{id} is the code of a State, and stands for that State only; choose another id"
            );
            return mismatch("subject", message);
        }
        (PartyKind::NonMemberState, UnStatus::None) => own.is_some(),
        (_, UnStatus::None) => false,
    };
    if !state {
        return Ok(data.country);
    }
    let own = own.map(|country| country.code);
    if data.country.is_some() && data.country != own {
        let message = format!("the country of a State is itself: {id}; leave it out");
        return mismatch("data.country", message);
    }
    Ok(own)
}

impl Context<'_> {
    /// The party a command is about, which is registered, active or not.
    fn registered_party(&self) -> Result<(&PartyId, &Party), Rejection> {
        let id = self.party_subject()?;
        let Some(party) = self.reference.party(id) else {
            return refuse(
                RejectionCode::PartyUnknown,
                "subject",
                format!("party {id} is not registered; register it first"),
            );
        };
        self.expect_version(party.version)?;
        Ok((id, party))
    }
}

pub(super) fn amend_party(context: &Context<'_>, data: &AmendParty) -> Decision {
    let (id, party) = context.registered_party()?;
    if party.name == ValueMark::of(&data.name) {
        return refuse(
            RejectionCode::NothingToChange,
            "data.name",
            format!("party {id} is called so already"),
        );
    }
    context.happened(data.effective, "data.effective")?;
    let body = PartyAmended {
        name: data.name.clone(),
        reason: data.reason.clone(),
    };
    Ok(context.event(party.version, data.effective, Route::default(), body))
}

pub(super) fn change_party_status(context: &Context<'_>, data: &ChangePartyStatus) -> Decision {
    let (id, party) = context.registered_party()?;
    if party.status == data.status {
        return refuse(
            RejectionCode::NothingToChange,
            "data.status",
            format!("party {id} is {} already", data.status),
        );
    }
    let body = PartyStatusChanged {
        status: data.status,
        reason: data.reason.clone(),
    };
    Ok(context.event(party.version, None, Route::default(), body))
}
