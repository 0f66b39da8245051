//! What was measured: one sample for each answer, and what they come to.

use crate::measure::{Line, number};
use std::time::Duration;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Reserve,
    Pay,
    Tickets,
    Events,
    Event,
    Availability,
    Orders,
    GiveUp,
}

/// One answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) step: Step,
    /// When it was due, from the start of the scenario.
    pub(super) at: Duration,
    /// From then to the end of the answer.
    pub(super) took: Duration,
    /// 0 for none.
    pub(super) status: u16,
}

/// The suite's name in its results.
const SUITE: &str = "http";

/// Of these, the time below which a share of them lies, in milliseconds.
pub(super) fn percentile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
    let place = (number(times.len()) * share) as usize;
    times.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// How long the answers took for which `is_meant` holds.
pub(super) fn times(samples: &[Sample], is_meant: impl Fn(&Sample) -> bool) -> Vec<Duration> {
    samples.iter().filter(|sample| is_meant(sample)).map(|sample| sample.took).collect()
}

/// Answers that should not have been: 5xx, and none at all.
pub(super) fn errors(samples: &[Sample]) -> usize {
    samples.iter().filter(|sample| sample.status == 0 || sample.status >= 500).count()
}

/// A result beside what was measured for comparison.
pub(super) fn beside(
    case: impl Into<String>,
    (ours, unit): (f64, &'static str),
    (reference, reference_name): (f64, &'static str),
) -> Line {
    // Nothing where nothing may be is as good as it gets.
    let ratio = if ours == 0.0 && reference == 0.0 { 1.0 } else { ours / reference };
    Line { suite: SUITE, case: case.into(), ours, unit, reference, reference_name, ratio }
}

/// A result beside what it may be at most.
pub(super) fn at_most(case: impl Into<String>, measured: (f64, &'static str), goal: f64) -> Line {
    beside(case, measured, (goal, "the goal, at most"))
}

/// p50 and p99 of a case, beside the most that p99 may be.
pub(super) fn latencies(case: &str, mut times: Vec<Duration>, goal: f64) -> Vec<Line> {
    let [half, most] = [0.50, 0.99].map(|share| percentile(&mut times, share));
    vec![
        at_most(format!("{case}, p50"), (half, "ms"), goal),
        at_most(format!("{case}, p99"), (most, "ms"), goal),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let mut times: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        let [half, most] = [0.5, 0.99].map(|share| percentile(&mut times, share));
        assert!((half - 51.0).abs() < 0.01 && (most - 100.0).abs() < 0.01, "{half} {most}");
        assert!(percentile(&mut [], 0.5).is_nan());
    }
}
