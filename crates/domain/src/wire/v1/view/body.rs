//! The body of any view, where the kind is not known beforehand.

use serde::{Deserialize, Serialize};

use super::action::ActionBody;
use super::country::CountryBody;
use super::gaps::GapsBody;
use super::kind::ViewKind;
use super::partner::PartnerBody;
use super::review::ReviewBody;
use super::summary::SummaryBody;

/// The body of any view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ViewBody {
    /// Of one country.
    Country(Box<CountryBody>),
    /// Of one action.
    Action(Box<ActionBody>),
    /// Of the whole ledger.
    Summary(Box<SummaryBody>),
    /// Of what nobody has committed to.
    Gaps(Box<GapsBody>),
    /// Of one partner.
    Partner(Box<PartnerBody>),
    /// Of one review cycle.
    Review(Box<ReviewBody>),
}

impl ViewBody {
    /// Reads the body of any view, by its field `view`.
    ///
    /// # Errors
    /// When the bytes are not the JSON of the body that they say they are.
    pub fn decode(body: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Head {
            view: ViewKind,
        }
        let Head { view } = serde_json::from_slice(body)?;
        Ok(match view {
            ViewKind::Country => Self::Country(serde_json::from_slice(body)?),
            ViewKind::Action => Self::Action(serde_json::from_slice(body)?),
            ViewKind::Summary => Self::Summary(serde_json::from_slice(body)?),
            ViewKind::Gaps => Self::Gaps(serde_json::from_slice(body)?),
            ViewKind::Partner => Self::Partner(serde_json::from_slice(body)?),
            ViewKind::Review => Self::Review(serde_json::from_slice(body)?),
        })
    }
}
