//! Interleaved rounds: ours, reference, ours, … so that a noisy neighbour disturbs both alike; the median of each counts.

use crate::{Outcome, Settings};
use serde::Serialize;
use std::time::{Duration, Instant};

/// One result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Line {
    pub(crate) suite: &'static str,
    pub(crate) case: String,
    pub(crate) ours: f64,
    pub(crate) unit: &'static str,
    pub(crate) reference: f64,
    pub(crate) reference_name: &'static str,
    /// `ours / reference`: of a rate more is better, of a time less.
    pub(crate) ratio: f64,
}

/// What a case is called and measured in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) reference_name: &'static str,
}

/// One side of a case. Each call is a round and answers one number for each line of the case.
pub(crate) trait Side {
    /// Measures once.
    fn round(&mut self) -> impl Future<Output = Outcome<Vec<f64>>>;
}

impl<F: AsyncFnMut() -> Outcome<Vec<f64>>> Side for F {
    async fn round(&mut self) -> Outcome<Vec<f64>> {
        self().await
    }
}

/// Measures a case with one number.
pub(crate) async fn compare(
    case: Case,
    settings: &Settings,
    ours: impl Side,
    reference: impl Side,
) -> Outcome<Vec<Line>> {
    compare_all(&[case], settings, ours, reference).await
}

/// Measures cases whose numbers come from the same rounds.
pub(crate) async fn compare_all(
    cases: &[Case],
    settings: &Settings,
    mut ours: impl Side,
    mut reference: impl Side,
) -> Outcome<Vec<Line>> {
    let (mut our_rounds, mut reference_rounds) = (Vec::new(), Vec::new());
    for _ in 0..=settings.rounds {
        our_rounds.push(ours.round().await?);
        if !settings.ours_only {
            reference_rounds.push(reference.round().await?);
        }
    }
    let line = |(index, case): (usize, &Case)| {
        let (ours, reference) = (median(&our_rounds, index), median(&reference_rounds, index));
        Line {
            suite: "embedded",
            case: case.name.to_owned(),
            ours,
            unit: case.unit,
            reference,
            reference_name: case.reference_name,
            ratio: ours / reference,
        }
    };
    Ok(cases.iter().enumerate().map(line).collect())
}

/// The median of one number over the rounds but the first, which warmed up.
fn median(rounds: &[Vec<f64>], index: usize) -> f64 {
    let mut numbers: Vec<f64> = rounds.iter().skip(1).filter_map(|round| round.get(index)).copied().collect();
    numbers.sort_unstable_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Measures elapsed time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "this is what a benchmark measures with")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// How many of `count` were done in a second.
    pub(crate) fn rate(self, count: usize) -> Vec<f64> {
        vec![number(count) / self.elapsed().as_secs_f64()]
    }
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
pub(crate) fn number(count: usize) -> f64 {
    count as f64
}
