//! `audit`: what an auditor checks without trusting the ledger.

use super::{connect, progress_bar};
use crate::failure::Failure;
use crate::output::{Output, json_line, text};
use ledger_bus::NatsAccess;
use ledger_client::audit::{self, AuditReport, KeySource, ViewDifference, ViewReport};
use ledger_proof::VerifierKey;
use std::fmt::Write as _;
use std::time::Instant;

/// Prints the ledger's verifier key, as position 0 names it.
pub(crate) async fn key(nats: &NatsAccess, output: Output) -> Result<(), Failure> {
    let opened = audit::opened(&connect(nats).await?).await?;
    if output.json {
        let key = serde_json::json!({
            "ledger": opened.ledger.as_str(),
            "verifier_key": opened.verifier_key,
        });
        return Ok(json_line(key.to_string().as_bytes())?);
    }
    Ok(text(&format!("{}\n", opened.verifier_key))?)
}

/// Verifies the log and all views, and says so only if everything agrees.
pub(crate) async fn verify(
    nats: &NatsAccess,
    key: Option<&str>,
    output: Output,
) -> Result<(), Failure> {
    let key = match key {
        Some(text) => Some(text.parse::<VerifierKey>().map_err(|error| {
            Failure::usage(format!("--key: {error}; give it as `audit key` prints it"))
        })?),
        None => None,
    };
    let connection = connect(nats).await?;
    let started = Instant::now();
    let bar = progress_bar(0, "verifying");
    let verified = audit::verify(&connection, key, |progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.checked);
    })
    .await;
    bar.finish_and_clear();
    let report = verified?;
    let printed = if output.json {
        let json = serde_json::to_vec(&report).map_err(|error| Failure::failed(&error))?;
        json_line(&json)
    } else {
        text(&shown(&report, started.elapsed().as_secs_f64()))
    };
    // What was found decides, whether or not somebody read all of it.
    if report.agrees() {
        Ok(printed?)
    } else if output.json {
        Err(Failure::said())
    } else {
        Err(Failure::because("the views do not agree with the log"))
    }
}

fn shown(report: &AuditReport, seconds: f64) -> String {
    let mut page = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a string does not fail.
        writeln!(page, "{name:<14}{value}").unwrap_or_default();
    };
    line("ledger", &report.ledger);
    line("verifier key", &report.verifier_key);
    line(
        "",
        match report.key_source {
            KeySource::Given => "(as you gave it)",
            KeySource::Position0 => {
                "(as position 0 of this log names it: compare it with one you know from elsewhere)"
            }
        },
    );
    line(
        "tree head",
        &format!("signature valid, {} leaves", report.tree_size),
    );
    line(
        "root",
        &format!("{}  recomputed from every leaf", report.root),
    );
    if report.withheld > 0 {
        line(
            "withheld",
            &format!(
                "{} events whose data could not be compared",
                report.withheld
            ),
        );
    }
    for projection in &report.projections {
        line(
            &format!("{} views", projection.projection),
            &views(projection),
        );
        for difference in &projection.differences {
            line("", &difference_text(difference));
        }
    }
    line(
        "",
        &if report.agrees() {
            format!("everything agrees ({seconds:.1} s)")
        } else {
            format!("NOT everything agrees ({seconds:.1} s)")
        },
    );
    page
}

fn views(report: &ViewReport) -> String {
    let in_bucket = report.compared_in_bucket;
    let in_bucket = in_bucket.map_or_else(String::new, |compared| {
        format!(", {compared} with the bucket too")
    });
    format!(
        "{} refolded from {} events and compared byte for byte{in_bucket}, {} differ",
        report.compared,
        report.folded,
        report.differences.len()
    )
}

fn difference_text(difference: &ViewDifference) -> String {
    match difference {
        ViewDifference::Body { key, folded } => {
            format!("{key}: the served bytes are not those of the first {folded} events")
        }
        ViewDifference::Missing { key } => format!("{key}: not served"),
        ViewDifference::Unfounded { key } => {
            format!("{key}: served, but the log gives no such view")
        }
        ViewDifference::BucketBody { key, folded } => {
            format!("{key}: the bucket does not hold the bytes of the first {folded} events")
        }
        ViewDifference::BucketMissing { key } => format!("{key}: not in the bucket"),
        ViewDifference::BucketUnfounded { key } => {
            format!("{key}: in the bucket, but the log gives no such view")
        }
        ViewDifference::BucketUnread { what } => format!("the bucket cannot be read: {what}"),
        ViewDifference::Behind { folded, expected } => {
            format!("the projector has folded {folded} of {expected} events and does not go on")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(differences: Vec<ViewDifference>) -> AuditReport {
        AuditReport {
            ledger: "main".to_owned(),
            verifier_key: "compact-ledger/main+0+k".to_owned(),
            key_source: KeySource::Position0,
            tree_size: 9,
            root: "00".to_owned(),
            withheld: 0,
            projections: vec![ViewReport {
                projection: "country".to_owned(),
                compared: 249,
                folded: 9,
                compared_in_bucket: None,
                differences,
            }],
        }
    }

    #[test]
    fn agreement_is_said_only_when_everything_agrees() {
        assert!(shown(&report(Vec::new()), 0.1).contains("everything agrees"));
        let differing = report(vec![ViewDifference::Body {
            key: "KEN".to_owned(),
            folded: 9,
        }]);
        let page = shown(&differing, 0.1);
        assert!(page.contains("NOT everything agrees"), "{page}");
        assert!(page.contains("KEN: the served bytes"), "{page}");
    }
}
