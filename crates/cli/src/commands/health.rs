//! `health`: one question over HTTP, for whoever watches a process.

use std::time::Duration;

use crate::failure::Failure;
use crate::output::{Output, json_line, text};
use ledger_bus::without_secrets;
use ledger_web::Answered;

/// More than a readiness answer takes that waits for views, less than what service managers wait.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

/// Asks, prints the answer, and fails if it is not the one of something ready.
pub(crate) async fn run(url: &str, output: Output) -> Result<(), Failure> {
    let answered = ledger_web::probe(url, ANSWER_WITHIN).await?;
    let ready = answered.status == 200;
    let url = &without_secrets(url);
    let printed = if output.json {
        let answer = serde_json::json!({
            "ready": ready,
            "status": answered.status,
            "says": answered.body.trim_end(),
            "url": url,
            "ledger": answered.ledger,
        });
        json_line(answer.to_string().as_bytes())
    } else if answered.body.trim().is_empty() {
        Ok(())
    } else {
        let who = answered.ledger.as_ref().map_or_else(
            || "what answered names no ledger".to_owned(),
            |ledger| format!("ledger {ledger} answered"),
        );
        text(&format!("{}\n{who} at {url}\n", answered.body.trim_end()))
    };
    // The answer decides, whether or not somebody read it.
    if ready {
        return Ok(printed?);
    }
    match unasked(&answered) {
        Some(why) => Err(Failure::because(format!("{url} {why}"))),
        None => Err(Failure::said()),
    }
}

/// What an answer says that is not one about readiness.
fn unasked(answered: &Answered) -> Option<String> {
    match answered.status {
        404 => Some("answered 404: is the path /readyz?".to_owned()),
        status if answered.body.trim().is_empty() => Some(format!("answered {status}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_says_nothing_of_readiness_is_explained() {
        let said = |status, body: &str| {
            let body = body.to_owned();
            let ledger = None;
            unasked(&Answered {
                status,
                body,
                ledger,
            })
        };
        assert_eq!(said(503, "not ready: no node\n"), None);
        assert!(said(404, "").is_some_and(|why| why.contains("/readyz")));
        assert_eq!(said(500, "\n").as_deref(), Some("answered 500"));
    }
}
