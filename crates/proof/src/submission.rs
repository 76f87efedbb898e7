//! The check that the commands kept are those that the events came of.
//!
//! An event names its submission by the digest of the manifest, and its command by the index in it. Blocks keep the commands, or
//! their digests, so that the manifest can be built again. A changed byte of a command shows nowhere else: the tree is over the
//! leaves.

use crate::block::{KeptCommand, SubmissionPart};
use crate::hash::{Hash, hash_to_hex, sha256};
use crate::header::LeafHeader;
use crate::manifest::ManifestHasher;
use std::borrow::Cow;
use thiserror::Error;

/// What is wrong with a submission, and where.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("position {position}: {fault}")]
pub struct SubmissionError {
    /// The event concerned, or the submission's first.
    pub position: u64,
    /// What does not agree.
    #[source]
    pub fault: SubmissionFault,
}

/// What is wrong with a submission.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SubmissionFault {
    /// The manifest of the commands kept has another digest than its events name, or they do not agree on one.
    #[error("the commands kept are not those of the submission that the event names")]
    Manifest,
    /// The event names another command of its submission than the one kept for it.
    #[error("the event names another command of its submission than the one kept for it")]
    Index,
    /// The event's partner is not the one who submitted the command.
    #[error("the event names another partner than its submission")]
    Partner,
    /// The event came of a command, and none is kept for it; or the other way round.
    #[error("the event and the commands kept do not agree on whether a command caused it")]
    Cause,
    /// Commands of a submission are missing or out of their order, or events of a command are.
    #[error("the commands of the submission are not kept whole and in order")]
    Order,
}

/// A command as a block keeps it, with what is needed to check it.
#[derive(Clone, Debug)]
pub struct Taken<'a> {
    /// The position whose event it stands before: that of its first event, or, when it was refused, that of a neighbour's.
    pub place: u64,
    /// The position after its last event; nothing when it was refused.
    end: Option<u64>,
    first_position: u64,
    index: u32,
    total: u32,
    partner: Cow<'a, str>,
    digest: [u8; 32],
}

/// The commands of a block, in their order.
pub fn commands_of<'a>(parts: &[SubmissionPart<'a>]) -> Vec<Taken<'a>> {
    let mut commands = Vec::new();
    for part in parts {
        let first = commands.len();
        let mut made = None;
        for (stored, index) in part.commands.iter().zip(part.first_index..) {
            let end = stored.first_position.saturating_add(stored.events.into());
            if stored.events > 0 {
                made = Some(stored.first_position);
            }
            commands.push(Taken {
                place: stored.first_position,
                end: (stored.events > 0).then_some(end),
                first_position: part.first_position,
                index,
                total: part.total,
                partner: Cow::Borrowed(part.partner),
                digest: match stored.command {
                    KeptCommand::Bytes(bytes) => sha256(bytes),
                    KeptCommand::Digest(digest) => *digest,
                },
            });
        }
        // One that was refused stands before the next that was not; at the end, behind the last.
        let mut place = made.unwrap_or(part.first_position);
        for command in commands.iter_mut().skip(first).rev() {
            if command.end.is_some() {
                place = command.place;
            }
            command.place = place;
        }
    }
    commands
}

impl Taken<'_> {
    /// The error of a command that stands before no event of its block.
    pub fn misplaced(&self) -> SubmissionError {
        SubmissionError {
            position: self.first_position,
            fault: SubmissionFault::Order,
        }
    }

    fn into_owned(self) -> Taken<'static> {
        Taken {
            partner: Cow::Owned(self.partner.into_owned()),
            ..self
        }
    }
}

/// What an event says of the command it came of.
#[derive(Clone, Debug)]
struct Claim<'a> {
    position: u64,
    partner: Cow<'a, str>,
    is_caused: bool,
    submission: Option<Cow<'a, str>>,
    index: Option<u64>,
}

impl<'a> Claim<'a> {
    fn of(header: &LeafHeader<'a>) -> Self {
        Self {
            position: header.position,
            partner: Cow::Borrowed(header.partner),
            is_caused: header.causation_id.is_some() || header.submission.is_some(),
            submission: header.submission.map(Cow::Borrowed),
            index: header.submission_index,
        }
    }

    fn into_owned(self) -> Claim<'static> {
        Claim {
            partner: Cow::Owned(self.partner.into_owned()),
            submission: self.submission.map(|name| Cow::Owned(name.into_owned())),
            ..self
        }
    }
}

/// A submission whose commands and events are being read.
#[derive(Clone, Debug)]
struct Open {
    first_position: u64,
    partner: String,
    total: u32,
    count: u32,
    manifest: ManifestHasher,
    /// The digest that its events name.
    named: Option<String>,
    /// The command whose events are read: its index, and the position after its last event.
    command: Option<(u32, u64)>,
}

impl Open {
    fn new(ledger: &str, command: &Taken<'_>) -> Self {
        Self {
            first_position: command.first_position,
            partner: command.partner.clone().into_owned(),
            total: command.total,
            count: 0,
            manifest: ManifestHasher::new(ledger, &command.partner),
            named: None,
            command: None,
        }
    }

    fn take(&mut self, command: &Taken<'_>) -> Result<(), SubmissionFault> {
        let continues = self.first_position == command.first_position
            && self.total == command.total
            && self.count == command.index
            && self.partner == command.partner
            && (command.end.is_none() || self.is_read(command.place));
        if !continues {
            return Err(SubmissionFault::Order);
        }
        self.manifest.push(&command.digest);
        self.count = self.count.saturating_add(1);
        if let Some(end) = command.end {
            self.command = Some((command.index, end));
        }
        Ok(())
    }

    /// Whether the events of the command read last all lie before `position`.
    fn is_read(&self, position: u64) -> bool {
        self.command.is_none_or(|(_, end)| end <= position)
    }

    fn event(&mut self, index: u32, claim: &Claim<'_>) -> Result<(), SubmissionFault> {
        let Some(named) = &claim.submission else {
            return Err(SubmissionFault::Cause);
        };
        if claim.index != Some(index.into()) {
            return Err(SubmissionFault::Index);
        }
        if claim.partner != self.partner {
            return Err(SubmissionFault::Partner);
        }
        let expected = self.named.get_or_insert_with(|| named.clone().into_owned());
        if expected == named {
            Ok(())
        } else {
            Err(SubmissionFault::Manifest)
        }
    }

    /// Whether everything of it was read before `position`, and is what its events name.
    fn expect_whole(&self, position: u64) -> Result<(), SubmissionError> {
        let fail = |fault| {
            Err(SubmissionError {
                position: self.first_position,
                fault,
            })
        };
        if self.count != self.total || !self.is_read(position) {
            return fail(SubmissionFault::Order);
        }
        let digest = hash_to_hex(&Hash(self.manifest.digest()));
        if self.named.as_deref() == Some(digest.as_str()) {
            Ok(())
        } else {
            fail(SubmissionFault::Manifest)
        }
    }
}

/// Checks commands and events in the order of the log: a command comes before its first event.
///
/// After an error it knows nothing until the next submission begins, so that each submission gives one error.
#[derive(Clone, Debug, Default)]
pub struct SubmissionVerifier {
    open: Option<Open>,
    is_lost: bool,
}

impl SubmissionVerifier {
    /// Takes the next command kept, of the ledger with this id.
    ///
    /// # Errors
    /// [`SubmissionError`] when it does not follow the ones before it, or the submission before is not what its events name.
    pub fn command(&mut self, ledger: &str, command: &Taken<'_>) -> Result<(), SubmissionError> {
        if command.index > 0 {
            if self.is_lost {
                return Ok(());
            }
            let taken = match &mut self.open {
                Some(open) => open.take(command),
                None => Err(SubmissionFault::Order),
            };
            return taken.map_err(|fault| self.fail(command.first_position, fault));
        }
        let before = self.expect_whole(command.place);
        let mut open = Open::new(ledger, command);
        let taken = open.take(command);
        self.open = Some(open);
        self.is_lost = false;
        taken.map_err(|fault| self.fail(command.first_position, fault))?;
        before
    }

    /// Takes the next event's header.
    ///
    /// # Errors
    /// [`SubmissionError`] when it names anything else than the command kept for it.
    pub fn event(&mut self, header: &LeafHeader<'_>) -> Result<(), SubmissionError> {
        self.claim(&Claim::of(header))
    }

    fn claim(&mut self, claim: &Claim<'_>) -> Result<(), SubmissionError> {
        if self.is_lost {
            return Ok(());
        }
        let command = self.open.as_mut().and_then(|open| {
            let (index, end) = open.command?;
            (claim.position < end).then_some((open, index))
        });
        let checked = match command {
            Some((open, index)) => open.event(index, claim),
            None if claim.is_caused => Err(SubmissionFault::Cause),
            None => Ok(()),
        };
        checked.map_err(|fault| self.fail(claim.position, fault))
    }

    /// Whether no submission is half read where the log, or one of its groups, ends.
    ///
    /// # Errors
    /// [`SubmissionError`] when one is, or the last one is not what its events name.
    pub fn expect_whole(&self, position: u64) -> Result<(), SubmissionError> {
        self.open
            .as_ref()
            .map_or(Ok(()), |open| open.expect_whole(position))
    }

    /// Forgets what it knows, up to the next submission: some of the log could not be read.
    pub fn lose(&mut self) {
        self.open = None;
        self.is_lost = true;
    }

    fn fail(&mut self, position: u64, fault: SubmissionFault) -> SubmissionError {
        self.lose();
        SubmissionError { position, fault }
    }
}

/// What precedes the first submission that begins in a run.
#[derive(Clone, Debug)]
enum Earlier {
    Command(Taken<'static>),
    Event(Claim<'static>),
}

/// The commands and events of a stretch of the log, checked among themselves on whatever thread: what belongs to a submission
/// begun earlier is kept for [`SubmissionRun::follow`].
#[derive(Clone, Debug)]
pub struct SubmissionRun {
    earlier: Vec<Earlier>,
    own: SubmissionVerifier,
    /// Where the first submission of its own begins.
    begins: Option<u64>,
}

impl Default for SubmissionRun {
    fn default() -> Self {
        let own = SubmissionVerifier {
            open: None,
            is_lost: true,
        };
        Self {
            earlier: Vec::new(),
            own,
            begins: None,
        }
    }
}

impl SubmissionRun {
    /// Takes the next command, as [`SubmissionVerifier::command`] does.
    ///
    /// # Errors
    /// As there; nothing after an error should be trusted.
    pub fn command(&mut self, ledger: &str, command: Taken<'_>) -> Result<(), SubmissionError> {
        if self.begins.is_none() {
            if command.index > 0 {
                self.earlier.push(Earlier::Command(command.into_owned()));
                return Ok(());
            }
            self.begins = Some(command.place);
        }
        self.own.command(ledger, &command)
    }

    /// Takes the next event's header, as [`SubmissionVerifier::event`] does.
    ///
    /// # Errors
    /// As there; nothing after an error should be trusted.
    pub fn event(&mut self, header: &LeafHeader<'_>) -> Result<(), SubmissionError> {
        if self.begins.is_none() {
            let claim = Claim::of(header).into_owned();
            self.earlier.push(Earlier::Event(claim));
            return Ok(());
        }
        self.own.event(header)
    }

    /// Moves `verifier` on by this run, which follows what it has seen.
    ///
    /// # Errors
    /// [`SubmissionError`] when it does not.
    pub fn follow(self, verifier: &mut SubmissionVerifier) -> Result<(), SubmissionError> {
        for earlier in self.earlier {
            match earlier {
                // A submission goes on: the ledger was named when it began.
                Earlier::Command(command) => verifier.command("", &command)?,
                Earlier::Event(claim) => verifier.claim(&claim)?,
            }
        }
        if let Some(begins) = self.begins {
            verifier.expect_whole(begins)?;
            *verifier = self.own;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Manifest;
    use crate::block::StoredCommand;
    use crate::header::tests::leaf;
    use proptest::prelude::*;

    /// What a log holds, in its order: the commands of submissions, and the leaves of their events.
    #[derive(Clone, Debug)]
    enum Item {
        Command(Taken<'static>),
        Event(Vec<u8>),
    }

    /// Submissions of commands that made so many events each; the first two positions have none.
    fn log(submissions: &[Vec<u32>]) -> Vec<Item> {
        let mut items = Vec::new();
        let mut position = 0;
        let plain = |position| {
            let text = String::from_utf8(leaf(position, TIME, [0; 32])).unwrap();
            let start = text.find(",\"causationid").unwrap();
            let end = text.find(",\"effective").unwrap();
            format!("{}{}", &text[..start], &text[end..]).into_bytes()
        };
        for _ in 0..2 {
            items.push(Item::Event(plain(position)));
            position += 1;
        }
        for events in submissions
            .iter()
            .filter(|events| events.iter().any(|made| *made > 0))
        {
            let bytes: Vec<_> = (0..events.len())
                .map(|index| format!("{position} {index}"))
                .collect();
            let digests = bytes.iter().map(|bytes| sha256(bytes.as_bytes()));
            let name = hex::encode(Manifest::new("test-1", "acme", digests).digest());
            let mut part = SubmissionPart {
                first_position: position,
                first_index: 0,
                total: u32::try_from(events.len()).unwrap(),
                partner: "acme",
                signature: None,
                commands: Vec::new(),
            };
            let mut at = position;
            for (bytes, events) in bytes.iter().zip(events) {
                part.commands.push(StoredCommand {
                    command: KeptCommand::Bytes(bytes.as_bytes()),
                    first_position: at,
                    events: *events,
                });
                at += u64::from(*events);
            }
            let parts = [part];
            let mut commands = commands_of(&parts).into_iter().peekable();
            for (index, events) in events.iter().enumerate() {
                for _ in 0..*events {
                    while let Some(next) = commands.next_if(|next| next.place <= position) {
                        items.push(Item::Command(next.into_owned()));
                    }
                    let text = String::from_utf8(leaf(position, TIME, [0; 32])).unwrap();
                    let text = text.replace(&hex::encode([7; 32]), &name).replace(
                        "submissionindex\":\"0",
                        &format!("submissionindex\":\"{index}"),
                    );
                    items.push(Item::Event(text.into_bytes()));
                    position += 1;
                }
            }
            assert!(commands.next().is_none());
        }
        items
    }

    const TIME: &str = "2026-11-23T08:30:00.000001Z";

    fn end_of(items: &[Item]) -> u64 {
        let events = items.iter().filter(|item| matches!(item, Item::Event(_)));
        events.count() as u64
    }

    fn whole(items: &[Item]) -> Result<(), SubmissionError> {
        let mut verifier = SubmissionVerifier::default();
        for item in items {
            match item {
                Item::Command(command) => verifier.command("test-1", command)?,
                Item::Event(leaf) => verifier.event(&LeafHeader::parse(leaf).unwrap())?,
            }
        }
        verifier.expect_whole(end_of(items))
    }

    /// The same in runs of `size` items.
    fn in_runs(items: &[Item], size: usize) -> Result<(), SubmissionError> {
        let mut verifier = SubmissionVerifier::default();
        for stretch in items.chunks(size) {
            let mut run = SubmissionRun::default();
            for item in stretch {
                match item {
                    Item::Command(command) => run.command("test-1", command.clone())?,
                    Item::Event(leaf) => run.event(&LeafHeader::parse(leaf).unwrap())?,
                }
            }
            run.follow(&mut verifier)?;
        }
        verifier.expect_whole(end_of(items))
    }

    proptest! {
        #[test]
        fn what_is_changed_left_out_or_doubled_is_found_however_the_log_is_cut(
            submissions in proptest::collection::vec(proptest::collection::vec(0..4u32, 1..5), 1..6),
            size in 1..9usize,
            at: prop::sample::Index,
        ) {
            let items = log(&submissions);
            prop_assert_eq!(whole(&items), Ok(()));
            prop_assert_eq!(in_runs(&items, size), Ok(()));
            let commands = items.iter().enumerate().filter(|(_, item)| matches!(item, Item::Command(_)));
            let commands: Vec<_> = commands.map(|(index, _)| index).collect();
            prop_assume!(!commands.is_empty());
            let at = commands[at.index(commands.len())];
            let mut changed = items.clone();
            if let Item::Command(command) = &mut changed[at] {
                command.digest[5] ^= 1;
            }
            let mut left_out = items.clone();
            left_out.remove(at);
            let mut doubled = items.clone();
            doubled.insert(at, items[at].clone());
            for lie in [changed, left_out, doubled] {
                prop_assert!(whole(&lie).is_err());
                prop_assert!(in_runs(&lie, size).is_err());
            }
        }
    }

    #[test]
    fn each_submission_gives_one_error_and_later_ones_are_checked() {
        let mut items = log(&[vec![2, 1], vec![1, 1], vec![1]]);
        for item in &mut items {
            if let Item::Command(command) = item
                && [2, 7].contains(&command.first_position)
            {
                command.digest[0] ^= 1;
            }
        }
        let mut verifier = SubmissionVerifier::default();
        let mut errors = Vec::new();
        for item in &items {
            let checked = match item {
                Item::Command(command) => verifier.command("test-1", command),
                Item::Event(leaf) => verifier.event(&LeafHeader::parse(leaf).unwrap()),
            };
            errors.extend(checked.err());
        }
        errors.extend(verifier.expect_whole(8).err());
        let positions: Vec<_> = errors.iter().map(|error| error.position).collect();
        assert_eq!(positions, [2, 7]);
        assert!(
            errors
                .iter()
                .all(|error| error.fault == SubmissionFault::Manifest)
        );
    }
}
