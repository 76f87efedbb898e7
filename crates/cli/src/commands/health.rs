//! `health`: one question over HTTP, for whoever watches a process.

use std::time::Duration;

use crate::failure::Failure;
use crate::output::{Output, json_line, text};

/// More than a readiness answer takes that waits for views, less than what service managers wait.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

/// Asks, prints the answer, and fails if it is not the one of something ready.
pub(crate) async fn run(url: &str, output: Output) -> Result<(), Failure> {
    let answered = ledger_web::probe(url, ANSWER_WITHIN).await?;
    let ready = answered.status == 200;
    let printed = if output.json {
        let answer = serde_json::json!({
            "ready": ready,
            "status": answered.status,
            "says": answered.body.trim_end(),
        });
        json_line(answer.to_string().as_bytes())
    } else {
        text(&answered.body)
    };
    // The answer decides, whether or not somebody read it.
    if ready {
        Ok(printed?)
    } else {
        Err(Failure::said())
    }
}
