//! `replay`: recorded events, one a line.

use super::{codes, connect, progress_beside_lines};
use crate::args::ReplayArgs;
use crate::failure::Failure;
use crate::output::write;
use indicatif::ProgressBar;
use ledger_bus::NatsAccess;
use ledger_client::{Replay, ReplayChunk, ReplayRange, visit_events};
use ledger_domain::country::NO_COUNTRY;
use ledger_domain::wire::v1::EventType;
use ledger_proof::block::{Content, StoredEvent, Tags};
use ledger_proof::delivered;
use ledger_proof::header::LeafHeader;
use std::time::Duration;

/// How often to ask for more when following.
const FOLLOW_PAUSE: Duration = Duration::from_millis(100);

/// Prints the events that were asked for.
pub(crate) async fn run(nats: &NatsAccess, args: &ReplayArgs) -> Result<(), Failure> {
    let mut filter = Filter::new(args)?;
    let connection = connect(nats).await?;
    // Before anything is printed: nothing at all has a hash too, and it looks like any other.
    let recorded = connection.head().await?.tree_size;
    if let Some(position) = not_reached(args, recorded) {
        return Err(Failure::because(format!(
            "position {position} is not reached yet: {recorded} events are recorded, from position 0 on"
        )));
    }
    if let Some(code) = &filter.action {
        filter.action = Some(codes::action_of_events(&connection, code).await?);
    }
    let range = ReplayRange {
        from: args.from,
        to: args.to,
        // Events of no country are found under no country: all blocks have to be looked through for them.
        country: filter.country.clone().filter(|code| code != NO_COUNTRY),
        action: filter.action.clone(),
    };
    let bar = if args.follow {
        ProgressBar::hidden()
    } else {
        progress_beside_lines(0, "replaying")
    };
    let mut replay = Replay::new(&connection, range);
    let mut lines = Vec::new();
    loop {
        match replay.next_chunk().await? {
            Some(chunk) => {
                lines.clear();
                write_lines(&chunk, &filter, &mut lines)?;
                write(&lines)?;
                let end = args
                    .to
                    .map_or(chunk.tree_size, |to| to.min(chunk.tree_size));
                bar.set_length(end.saturating_sub(args.from));
                bar.set_position(chunk.next.min(end).saturating_sub(args.from));
            }
            None if args.follow => tokio::time::sleep(FOLLOW_PAUSE).await,
            None => {
                bar.finish_and_clear();
                return Ok(());
            }
        }
    }
}

/// The position that was asked for and that a log of this size does not have. Who follows may begin with the next event.
fn not_reached(args: &ReplayArgs, recorded: u64) -> Option<u64> {
    let is_beyond = if args.follow {
        args.from > recorded
    } else {
        args.from >= recorded
    };
    let to = args.to.filter(|&to| to > recorded);
    Some(args.from).filter(|_| is_beyond).or(to)
}

/// Which events of a block are wanted: a block that has one such event has others too.
struct Filter {
    country: Option<String>,
    action: Option<String>,
    types: Vec<EventType>,
}

impl Filter {
    fn new(args: &ReplayArgs) -> Result<Self, Failure> {
        let event_type = |name: &String| {
            let short = name
                .strip_prefix("ledger.")
                .and_then(|rest| rest.strip_suffix(".v1"))
                .unwrap_or(name);
            EventType::from_name(short).ok_or_else(|| {
                let all: Vec<&str> = EventType::ALL.iter().map(|kind| kind.name()).collect();
                Failure::usage(format!(
                    "`{name}` is not a type of event; there are {}",
                    all.join(", ")
                ))
            })
        };
        let country = args.country.as_deref().map(codes::country).transpose()?;
        if let Some(to) = args.to.filter(|&to| to < args.from) {
            let from = args.from;
            return Err(Failure::usage(format!(
                "--to {to} lies before --from {from}: there is nothing between"
            )));
        }
        Ok(Self {
            country,
            action: args.action.clone(),
            types: args
                .types
                .iter()
                .map(event_type)
                .collect::<Result<_, _>>()?,
        })
    }

    fn wants(&self, event: &StoredEvent<'_>) -> bool {
        self.wants_route(event.route) && self.wants_type(event.header)
    }

    fn wants_route(&self, route: &str) -> bool {
        let tags = Tags::read(route);
        let country = tags.country.unwrap_or(NO_COUNTRY);
        self.country.as_ref().is_none_or(|wanted| wanted == country)
            && self
                .action
                .as_ref()
                .is_none_or(|wanted| tags.actions().any(|action| action == wanted))
    }

    fn wants_type(&self, leaf: &[u8]) -> bool {
        self.types.is_empty()
            || LeafHeader::parse(leaf)
                .ok()
                .and_then(|header| EventType::from_name(header.event_name()?))
                .is_some_and(|found| self.types.contains(&found))
    }
}

fn write_lines(chunk: &ReplayChunk, filter: &Filter, lines: &mut Vec<u8>) -> Result<(), Failure> {
    visit_events(chunk, |event| {
        if !filter.wants(event) {
            return Ok(());
        }
        match event.content {
            Content::Present { salt, data } => {
                delivered::join_into(lines, event.header, salt, data)
            }
            Content::Withheld { ground } => delivered::withhold_into(lines, event.header, ground),
        }
        .map_err(|error| Failure::failed(&error))?;
        lines.push(b'\n');
        Ok::<(), Failure>(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(country: Option<&str>, action: Option<&str>) -> Filter {
        Filter {
            country: country.map(str::to_owned),
            action: action.map(str::to_owned),
            types: Vec::new(),
        }
    }

    #[test]
    fn a_route_is_matched_whole() {
        assert!(filter(None, None).wants_route("|"));
        assert!(filter(Some("KEN"), None).wants_route("KEN|GCM-05a,GCM-10"));
        assert!(filter(Some("INT"), None).wants_route("|GCM-10"));
        assert!(!filter(Some("INT"), None).wants_route("KEN|GCM-10"));
        assert!(filter(None, Some("GCM-10")).wants_route("KEN|GCM-05a,GCM-10"));
        assert!(!filter(None, Some("GCM-1")).wants_route("KEN|GCM-05a,GCM-10"));
        assert!(!filter(Some("KEN"), Some("GCM-10")).wants_route("UGA|GCM-10"));
    }

    #[test]
    fn a_position_that_the_log_does_not_have_is_named() {
        let asked = |from, to, follow| {
            let args = ReplayArgs {
                from,
                to,
                country: None,
                action: None,
                types: Vec::new(),
                follow,
            };
            not_reached(&args, 7)
        };
        assert_eq!(asked(0, None, false), None);
        assert_eq!(asked(6, Some(7), false), None);
        assert_eq!(asked(0, Some(0), false), None);
        assert_eq!(asked(6, Some(8), false), Some(8));
        assert_eq!(asked(7, None, false), Some(7));
        assert_eq!(asked(7, Some(8), false), Some(7));
        assert_eq!(asked(u64::MAX, None, false), Some(u64::MAX));
        assert_eq!(asked(7, None, true), None);
        assert_eq!(asked(8, None, true), Some(8));
    }

    #[test]
    fn what_no_event_can_be_is_refused() {
        let usable = |from, to, country: &str, kind: &str| {
            let args = ReplayArgs {
                from,
                to: Some(to),
                country: Some(country.to_owned()),
                action: None,
                types: vec!["commitment_recorded".to_owned(), kind.to_owned()],
                follow: false,
            };
            Filter::new(&args).is_ok()
        };
        assert!(usable(3, 3, "ken", "ledger.progress_reported.v1"));
        assert!(usable(3, 4, "INT", "progress_reported"));
        assert!(!usable(3, 4, "KEN", "nonsense"));
        assert!(!usable(3, 4, "KE", "progress_reported"));
        assert!(!usable(3, 2, "KEN", "progress_reported"));
    }
}
