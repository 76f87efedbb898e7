//! What a decision needs to know of one commitment, in as few bytes as will do: a ledger caches millions.

use smallvec::SmallVec;

use crate::date::PartialDate;
use crate::ids::{ActionCode, CountryCode, PartyId, Position, Version};
use crate::intern::Symbol;
use crate::wire::v1::{Amount, CommitmentAmended, CommitmentRecorded, Event, EventBody, Period};

/// The decision state of one commitment: a fold of the events of its stream, and of nothing else.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Commitment {
    position: Position,
    reports: Vec<Report>,
    actions: SmallVec<[Symbol; 4]>,
    // Boxed twice over because hardly any commitment has participants: 8 bytes for most.
    #[expect(
        clippy::box_collection,
        reason = "a vector of its own would add 16 bytes to every commitment"
    )]
    participants: Option<Box<Vec<Symbol>>>,
    baseline: Known,
    target: Known,
    version: Version,
    lead: Symbol,
    country: Option<CountryCode>,
    made: Option<PartialDate>,
    due: Option<PartialDate>,
    withdrawn: bool,
    measured: bool,
    /// Whether the original target lay below the original baseline; absent until both were known.
    falling: Option<bool>,
}

/// The newest report of one reporter over one period.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Report {
    from: PartialDate,
    to: PartialDate,
    reporter: Symbol,
    // A position as two halves, so that a report takes 20 bytes and not 24.
    position: [u32; 2],
}

/// An amount, or none, in eight bytes: no amount is NaN.
#[derive(Debug, Clone, Copy)]
struct Known(f64);

impl Default for Known {
    fn default() -> Self {
        Self(f64::NAN)
    }
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Known {
    fn get(self) -> Option<Amount> {
        Amount::new(self.0)
    }

    fn set(&mut self, amount: Option<Amount>) {
        if let Some(amount) = amount {
            self.0 = amount.get();
        }
    }
}

impl Commitment {
    /// The most reporter-and-period pairs one commitment keeps.
    pub const MAX_REPORTS: usize = 1024;

    /// Folds one event of the commitment's stream in. Events of other streams change nothing.
    #[must_use]
    pub fn evolve(previous: Option<Self>, event: &Event) -> Self {
        let mut state = previous.unwrap_or_default();
        match &event.body {
            EventBody::CommitmentRecorded(recorded) => state = Self::recorded(recorded),
            EventBody::ProgressReported(report) => state.reported(event, report.period),
            EventBody::ReportCorrected(corrected) => state.reported(event, corrected.report.period),
            EventBody::CommitmentAmended(amended) => state.amended(amended),
            EventBody::CommitmentWithdrawn(_) => state.withdrawn = true,
            EventBody::LedgerOpened(_)
            | EventBody::PartnerRegistered(_)
            | EventBody::PartnerChanged(_)
            | EventBody::PartnerRevoked(_)
            | EventBody::InstrumentPublished(_)
            | EventBody::ActionCatalogued(_)
            | EventBody::ActionTextAmended(_)
            | EventBody::ActionsMapped(_)
            | EventBody::PartyRegistered(_)
            | EventBody::PartyStatusChanged(_) => return state,
        }
        state.version = event.header.stream_version;
        state.position = event.header.position;
        state
    }

    fn recorded(recorded: &CommitmentRecorded) -> Self {
        let parties = recorded.participants.iter();
        let participants: Vec<Symbol> = parties
            .map(|participant| Symbol::of(participant.party.as_str()))
            .collect();
        let mut state = Self {
            actions: symbols(&recorded.actions),
            participants: (!participants.is_empty()).then(|| Box::new(participants)),
            lead: Symbol::of(recorded.lead.as_str()),
            country: recorded.country,
            made: recorded.made,
            due: recorded.due,
            ..Self::default()
        };
        if let Some(measure) = &recorded.measure {
            state.measure(measure.baseline, measure.target);
        }
        state
    }

    fn measure(&mut self, baseline: Option<Amount>, target: Option<Amount>) {
        self.measured = true;
        self.baseline.set(baseline);
        self.target.set(target);
        if self.falling.is_none()
            && let (Some(baseline), Some(target)) = (self.baseline.get(), self.target.get())
        {
            self.falling = Some(target < baseline);
        }
    }

    fn reported(&mut self, event: &Event, period: Period) {
        let position = event.header.position.0;
        let low = u32::try_from(position & 0xffff_ffff).unwrap_or_default();
        let high = u32::try_from(position >> 32).unwrap_or_default();
        let report = Report {
            from: period.from,
            to: period.to,
            reporter: Symbol::of(event.header.party.as_str()),
            position: [high, low],
        };
        let same = |other: &&mut Report| {
            (other.from, other.to, other.reporter) == (report.from, report.to, report.reporter)
        };
        if let Some(earlier) = self.reports.iter_mut().find(same) {
            *earlier = report;
            return;
        }
        // Most commitments are reported on once or twice: grow by what is needed, not by four.
        if self.reports.len() < 4 {
            self.reports.reserve_exact(1);
        }
        // Millions of these are kept and most have one or two reports: no room for more than there are.
        if self.reports.len() == self.reports.capacity() {
            self.reports.reserve_exact(self.reports.len().clamp(1, 16));
        }
        self.reports.push(report);
    }

    fn amended(&mut self, amended: &CommitmentAmended) {
        if let Some(actions) = &amended.actions {
            self.actions = symbols(actions);
        }
        if amended.due.is_some() {
            self.due = amended.due;
        }
        if let Some(change) = &amended.measure {
            self.measure(change.baseline, change.target);
        }
    }

    /// How many events its stream has.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The position of its newest event.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The party that leads it.
    pub fn lead(&self) -> PartyId {
        PartyId::from_interned(self.lead.name())
    }

    /// Whether the party leads it.
    pub fn is_lead(&self, party: &PartyId) -> bool {
        Symbol::find(party.as_str()) == Some(self.lead)
    }

    /// Whether the party takes part in it, as lead or beside it, claimed or confirmed.
    pub fn has_participant(&self, party: &PartyId) -> bool {
        Symbol::find(party.as_str()).is_some_and(|symbol| {
            symbol == self.lead
                || self
                    .participants
                    .as_ref()
                    .is_some_and(|participants| participants.contains(&symbol))
        })
    }

    /// The lead's country when it was recorded.
    pub fn country(&self) -> Option<CountryCode> {
        self.country
    }

    /// What it attaches to now.
    pub fn actions(&self) -> impl ExactSizeIterator<Item = ActionCode> {
        self.actions
            .iter()
            .map(|symbol| ActionCode::from_interned(symbol.name()))
    }

    /// Whether it was withdrawn.
    pub fn is_withdrawn(&self) -> bool {
        self.withdrawn
    }

    /// When it was made.
    pub fn made(&self) -> Option<PartialDate> {
        self.made
    }

    /// When it is to be fulfilled, as amended.
    pub fn due(&self) -> Option<PartialDate> {
        self.due
    }

    /// Whether it has a measure at all.
    pub fn is_measured(&self) -> bool {
        self.measured
    }

    /// The measure's baseline, as amended.
    pub fn baseline(&self) -> Option<Amount> {
        self.baseline.get()
    }

    /// The measure's target, as amended.
    pub fn target(&self) -> Option<Amount> {
        self.target.get()
    }

    /// Whether less is better: the original target lay below the original baseline.
    pub fn is_falling(&self) -> bool {
        self.falling.unwrap_or(false)
    }

    /// How many reporter-and-period pairs were reported.
    pub fn report_count(&self) -> usize {
        self.reports.len()
    }

    /// The position of the party's newest report over exactly this period.
    pub fn report(&self, reporter: &PartyId, period: Period) -> Option<Position> {
        let reporter = Symbol::find(reporter.as_str())?;
        let same = |report: &&Report| {
            (report.from, report.to, report.reporter) == (period.from, period.to, reporter)
        };
        self.reports.iter().find(same).map(|report| {
            let [high, low] = report.position;
            Position(u64::from(high) << 32 | u64::from(low))
        })
    }

    /// Its bytes in memory, heap included; what the allocator adds is not.
    pub fn size_bytes(&self) -> usize {
        let spilled = if self.actions.spilled() {
            self.actions.capacity() * size_of::<Symbol>()
        } else {
            0
        };
        let participants = self.participants.as_ref().map_or(0, |participants| {
            size_of::<Vec<Symbol>>() + participants.capacity() * size_of::<Symbol>()
        });
        size_of::<Self>() + self.reports.capacity() * size_of::<Report>() + spilled + participants
    }
}

fn symbols(codes: &[ActionCode]) -> SmallVec<[Symbol; 4]> {
    codes.iter().map(|code| Symbol::of(code.as_str())).collect()
}
