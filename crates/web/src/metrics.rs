//! `/metrics` in the form that the caller asked for: the text format 0.0.4, which every Prometheus reads, or
//! `OpenMetrics` 1.0 where the header `Accept` prefers it.
//!
//! Sources: <https://prometheus.io/docs/instrumenting/exposition_formats/> and
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>.

use std::collections::HashMap;

/// A form in which metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `text/plain; version=0.0.4`.
    Text,
    /// `application/openmetrics-text; version=1.0.0`.
    OpenMetrics,
}

impl Format {
    /// The form that an `Accept` header asks for; the text format where it prefers none of ours.
    pub(crate) fn accepted(accept: Option<&str>) -> Self {
        let Some(accept) = accept else {
            return Self::Text;
        };
        let mut best = (Self::Text, 0);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
            let mut quality = 1_000;
            let mut version = None;
            for part in parts {
                let Some((name, value)) = part.split_once('=') else {
                    continue;
                };
                match name.trim().to_ascii_lowercase().as_str() {
                    "q" => quality = thousandths(value.trim()),
                    "version" => version = Some(value.trim().trim_matches('"')),
                    _ => {}
                }
            }
            let format = match (media_type.as_str(), version) {
                ("application/openmetrics-text", None | Some("1.0.0")) => Self::OpenMetrics,
                ("text/plain", None | Some("0.0.4")) | ("text/*" | "*/*", _) => Self::Text,
                _ => continue,
            };
            // Of two that are as welcome, the one that says more goes first where it is named itself.
            let preferred = quality > best.1
                || (quality == best.1 && quality > 0 && format == Self::OpenMetrics);
            if preferred {
                best = (format, quality);
            }
        }
        best.0
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// Metrics, given in `OpenMetrics`, in this form.
    pub(crate) fn write(self, open_metrics: String) -> String {
        match self {
            Self::Text => as_text(&open_metrics),
            Self::OpenMetrics => open_metrics,
        }
    }
}

/// A weight of `Accept` (RFC 9110, 12.4.2) in thousandths; one that cannot be read counts as none.
fn thousandths(quality: &str) -> u32 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let digits = format!("{fraction:0<3}");
    match (
        whole,
        digits.get(..3).and_then(|digits| digits.parse().ok()),
    ) {
        ("1", Some(_)) => 1_000,
        ("0", Some(thousandths)) => thousandths,
        _ => 0,
    }
}

/// `OpenMetrics` as the text format: there, a family is called as its samples are, and some types are unknown.
fn as_text(open_metrics: &str) -> String {
    let types: HashMap<&str, &str> = open_metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect();
    let mut text = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines() {
        let Some((keyword, (name, rest))) = metadata(line) else {
            if !line.starts_with('#') {
                text.push_str(line);
                text.push('\n');
            }
            continue;
        };
        let (suffix, kind) = match types.get(name).copied() {
            Some("counter") => ("_total", "counter"),
            Some("info") => ("_info", "gauge"),
            Some("stateset") => ("", "gauge"),
            Some("unknown" | "gaugehistogram") | None => ("", "untyped"),
            Some(kind) => ("", kind),
        };
        let rest = match keyword {
            "TYPE" => kind.to_owned(),
            // A quotation mark is escaped in OpenMetrics alone.
            _ => rest.replace("\\\"", "\""),
        };
        text.extend(["# ", keyword, " ", name, suffix, " ", &rest, "\n"]);
    }
    text
}

/// The keyword, the family's name and the rest of a line of metadata that both forms have.
fn metadata(line: &str) -> Option<(&str, (&str, &str))> {
    let (keyword, rest) = line.strip_prefix("# ")?.split_once(' ')?;
    matches!(keyword, "HELP" | "TYPE").then(|| Some((keyword, rest.split_once(' ')?)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_format_comes_unless_openmetrics_is_preferred() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,\
                          application/openmetrics-text;version=0.0.1;q=0.4,\
                          text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for accept in [
            prometheus,
            "application/openmetrics-text",
            "Application/OpenMetrics-Text; Version=1.0.0; charset=utf-8",
            "text/plain;q=0.2, application/openmetrics-text;q=0.9",
            "*/*, application/openmetrics-text",
        ] {
            assert_eq!(
                Format::accepted(Some(accept)),
                Format::OpenMetrics,
                "{accept}"
            );
        }
        for accept in [
            "",
            "*/*",
            "text/plain",
            "text/html, */*;q=0.8",
            "text/plain;version=0.0.4, application/openmetrics-text;q=0.1",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=0.0, */*;q=0",
            "application/openmetrics-text;version=2.0.0",
            "application/openmetrics-text;q=nonsense, text/plain;q=0.1",
            "application/json",
        ] {
            assert_eq!(Format::accepted(Some(accept)), Format::Text, "{accept}");
        }
        assert_eq!(Format::accepted(None), Format::Text);
    }

    #[test]
    fn families_are_called_as_their_samples_and_have_types_that_the_text_format_knows() {
        let open_metrics = "# HELP a_b Says \\\"so\\\".\n# TYPE a_b counter\n# UNIT a_b seconds\n\
                            a_b_total{x=\"1\"} 3\n# HELP c C.\n# TYPE c info\nc_info{v=\"1\"} 1\n\
                            # TYPE d unknown\nd 1\n# TYPE e histogram\ne_sum 1.0\n# EOF\n";
        let text = "# HELP a_b_total Says \"so\".\n# TYPE a_b_total counter\n\
                    a_b_total{x=\"1\"} 3\n# HELP c_info C.\n# TYPE c_info gauge\nc_info{v=\"1\"} 1\n\
                    # TYPE d untyped\nd 1\n# TYPE e histogram\ne_sum 1.0\n";
        assert_eq!(as_text(open_metrics), text);
    }
}
