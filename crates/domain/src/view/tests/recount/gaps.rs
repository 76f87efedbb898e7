//! The gaps as one would look for them by hand.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Commitment, Recount, Views, body, number};
use crate::country;
use crate::wire::v1::PartyKind;

fn codes(list: &Value) -> BTreeSet<&str> {
    let codes = list.as_array().expect("a list of codes").iter();
    codes.map(|code| code.as_str().unwrap()).collect()
}

impl Recount {
    pub(in super::super) fn check_gaps(&self, view: &Views) {
        let body = body(view, "gaps");
        let active: Vec<&Commitment> = self.commitments.iter().filter(|c| c.stands()).collect();
        let without = |among: &[&Commitment]| -> BTreeSet<&str> {
            let committed = |action: &&String| among.iter().any(|c| self.within(c, action));
            let actions = self.actions.keys().filter(|action| !committed(action));
            actions.map(String::as_str).collect()
        };
        let nowhere = without(&active);
        assert_eq!(
            codes(&body["actions_without_commitment"]),
            nowhere,
            "{body}"
        );
        assert_eq!(
            number(&body, "/actions/without_commitment"),
            nowhere.len() as u64
        );
        assert_eq!(
            number(&body, "/actions/catalogued"),
            self.actions.len() as u64
        );
        assert_eq!(
            number(&body, "/active_commitments/total"),
            active.len() as u64
        );
        let examples = active.iter().filter(|c| c.recorded.illustrative).count();
        assert_eq!(
            number(&body, "/active_commitments/illustrative"),
            examples as u64
        );
        for (instrument, of) in body["actions_by_instrument"].as_object().unwrap() {
            let inside = |action: &&str| self.actions[*action].0 == *instrument;
            let count = nowhere.iter().filter(|action| inside(action)).count();
            assert_eq!(of["without_commitment"], count, "{instrument}");
        }
        for (region, gaps) in body["by_region"].as_object().unwrap() {
            let led: Vec<&Commitment> = active
                .iter()
                .filter(|c| {
                    self.country(&c.lead())
                        .is_some_and(|code| is_in(&code, region))
                })
                .copied()
                .collect();
            let here = without(&led);
            assert_eq!(
                number(gaps, "/actions/without_commitment"),
                here.len() as u64
            );
            let elsewhere: BTreeSet<&str> = here.difference(&nowhere).copied().collect();
            assert_eq!(codes(&gaps["actions_committed_elsewhere_only"]), elsewhere);
            self.check_states(gaps, region, &active);
        }
    }

    fn check_states(&self, gaps: &Value, region: &str, active: &[&Commitment]) {
        let (mut none, mut others, mut committed) = (BTreeSet::new(), BTreeSet::new(), 0);
        let mut participants = BTreeSet::new();
        let members = country::members().map(|country| country.code.to_string());
        let members: Vec<String> = members.filter(|code| is_in(code, region)).collect();
        for code in &members {
            let leads = |c: &&&Commitment| self.country(&c.lead()).as_ref() == Some(code);
            let own = |c: &Commitment| self.state_of(&c.lead()).as_ref() == Some(code);
            if active.iter().any(|c| own(c)) {
                committed += 1;
            } else if active.iter().any(|c| self.takes_part(c, code)) {
                participants.insert(code.as_str());
            } else if active.iter().any(|c| leads(&c)) {
                others.insert(code.as_str());
            } else {
                none.insert(code.as_str());
            }
        }
        assert_eq!(codes(&gaps["without_commitment"]), none);
        assert_eq!(codes(&gaps["participant_only"]), participants);
        assert_eq!(
            number(gaps, "/member_states/participant_only"),
            participants.len() as u64
        );
        assert_eq!(codes(&gaps["other_parties_only"]), others);
        assert_eq!(number(gaps, "/member_states/of"), members.len() as u64);
        assert_eq!(number(gaps, "/member_states/committed"), committed);
        assert_eq!(
            number(gaps, "/member_states/other_parties_only"),
            others.len() as u64
        );
        assert_eq!(
            number(gaps, "/member_states/without_commitment"),
            none.len() as u64
        );
    }

    /// Whether a State itself confirmed that it takes part beside the lead.
    fn takes_part(&self, commitment: &Commitment, code: &String) -> bool {
        let mut parts = commitment.parts().into_iter();
        parts.any(|(party, _, word)| {
            word == "confirmed" && self.state_of(&party).as_ref() == Some(code)
        })
    }

    fn state_of(&self, party: &str) -> Option<String> {
        let (kind, country, _) = self.parties.get(party)?;
        country.clone().filter(|_| *kind == PartyKind::MemberState)
    }
}

fn is_in(code: &str, region: &str) -> bool {
    country::find(code)
        .and_then(|country| country.region)
        .is_some_and(|of| of.name == region)
}
