//! What the writer hands over, takes back and may not hand over any more.

use super::*;
use crate::write::intake::ticket;
use ledger_domain::wire::v1::Receipt;
use ledger_domain::{Rejection, RejectionCode};
use std::sync::mpsc;

const SOON: Duration = Duration::from_secs(30);
const A_MOMENT: Duration = Duration::from_millis(50);

/// Decisions with one reply, whose refusal says which it is.
fn decided(name: &str, bytes: usize) -> Decided {
    let rejection = Rejection::new(RejectionCode::Busy, name);
    let receipt = Receipt::rejected_at(None, rejection, 1);
    Decided {
        replies: vec![SubmissionReply {
            to: None,
            is_batch: false,
            receipts: vec![receipt],
            ticket: ticket(),
        }],
        bytes,
        ..Decided::default()
    }
}

fn names(replies: &[SubmissionReply]) -> Vec<String> {
    let receipts = replies.iter().flat_map(|reply| &reply.receipts);
    let rejections = receipts.map(|receipt| receipt.rejection.clone().expect("a rejection"));
    rejections.map(|rejection| rejection.message).collect()
}

impl Pending {
    /// What there is, once there is anything; `None` at the end.
    fn take(&self) -> Option<Decided> {
        match self.take_within(SOON) {
            Taken::Decided(decided) => Some(decided),
            Taken::Nothing => panic!("nothing came"),
            Taken::Ended => None,
        }
    }
}

fn taken(outcome: &HandedOver) -> bool {
    matches!(outcome, HandedOver::Taken)
}

#[test]
fn what_was_decided_on_dropped_decisions_comes_back() {
    let pending = Pending::default();
    let before = pending.generation();
    assert!(taken(&pending.hand_over(decided("dropped", 0), before)));
    assert_eq!(names(&pending.void()), ["dropped"]);
    let HandedOver::Void(returned) = pending.hand_over(decided("void", 0), before) else {
        panic!("it rests on what was dropped");
    };
    assert_eq!(names(&returned.replies), ["void"]);

    let now = pending.generation();
    assert_ne!(now, before);
    assert!(taken(&pending.hand_over(decided("anew", 0), now)));
    assert_eq!(names(&pending.take().expect("decisions").replies), ["anew"]);
}

/// A writer that waits because the appender is a full group behind; what becomes of its decisions.
fn waiting_writer(pending: &Arc<Pending>) -> mpsc::Receiver<HandedOver> {
    let generation = pending.generation();
    let full = decided("full", MAX_PENDING_BYTES);
    assert!(taken(&pending.hand_over(full, generation)));
    let (sender, outcome) = mpsc::channel();
    let writer = Arc::clone(pending);
    std::thread::spawn(move || {
        let outcome = writer.hand_over(decided("waiting", 0), generation);
        sender.send(outcome).expect("somebody asks");
    });
    assert!(outcome.recv_timeout(A_MOMENT).is_err(), "it waits");
    outcome
}

#[test]
fn a_writer_that_waits_for_room_goes_on_when_there_is_some() {
    let pending = Arc::new(Pending::default());
    let outcome = waiting_writer(&pending);
    assert_eq!(names(&pending.take().expect("decisions").replies), ["full"]);
    assert!(taken(&outcome.recv_timeout(SOON).expect("an outcome")));
    let next = pending.take().expect("decisions");
    assert_eq!(names(&next.replies), ["waiting"]);
}

#[test]
fn a_writer_that_waits_for_room_is_told_that_its_decisions_are_void() {
    let pending = Arc::new(Pending::default());
    let outcome = waiting_writer(&pending);
    assert_eq!(names(&pending.void()), ["full"]);
    match outcome.recv_timeout(SOON).expect("an outcome") {
        HandedOver::Void(returned) => assert_eq!(names(&returned.replies), ["waiting"]),
        HandedOver::Taken | HandedOver::Closed(_) => panic!("it rests on what was dropped"),
    }
}

#[test]
fn a_writer_that_waits_for_room_is_told_that_the_appender_has_ended() {
    for panics in [false, true] {
        let pending = Arc::new(Pending::default());
        let outcome = waiting_writer(&pending);
        let appender = AppenderEnd(Arc::clone(&pending));
        let ended = std::thread::spawn(move || {
            let _end = appender;
            assert!(!panics, "as the test wants it");
        });
        assert_eq!(ended.join().is_err(), panics);
        match outcome.recv_timeout(SOON).expect("an outcome") {
            HandedOver::Closed(returned) => assert_eq!(names(&returned.replies), ["waiting"]),
            HandedOver::Taken | HandedOver::Void(_) => panic!("nothing takes it"),
        }
        let later = pending.hand_over(decided("later", 0), pending.generation());
        assert!(matches!(later, HandedOver::Closed(_)));
    }
}

#[test]
fn an_appender_goes_on_to_the_end_of_what_was_decided_and_no_further() {
    let pending = Arc::new(Pending::default());
    let writer = WriterEnd(Arc::clone(&pending));
    let outcome = pending.hand_over(decided("last", 0), pending.generation());
    assert!(taken(&outcome));
    let appender = Arc::clone(&pending);
    let appending = std::thread::spawn(move || {
        let last = appender.take().map(|decided| names(&decided.replies));
        (last, appender.take().is_none())
    });
    let ended = std::thread::spawn(move || {
        let _end = writer;
        panic!("as the test wants it");
    });
    assert!(ended.join().is_err());
    let (last, ended) = appending.join().expect("no panic");
    assert_eq!(last.expect("decisions"), ["last"]);
    assert!(ended);
}
