//! The suite as a picture: who came in the rush and what they got, how long they waited, and the memory over time.

use super::samples::{Sample, Step, percentile};
use super::users::Memory;
use crate::Outcome;
use crate::measure::number;
use plotters::coord::Shift;
use plotters::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Half a second is one point.
const POINT: Duration = Duration::from_millis(500);
const WIDTH: u32 = 900;
const HEIGHT: u32 = 280;

/// What is drawn, as far as it was measured.
#[derive(Debug, Default)]
pub(super) struct Drawn {
    pub(super) rush: Vec<Sample>,
    pub(super) memory: Memory,
}

type Points = Vec<(f64, f64)>;
type Panel<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A line with what it is called.
type Curve = (&'static str, RGBColor, Points);

impl Drawn {
    /// Writes an SVG, one panel above the other.
    ///
    /// # Errors
    /// When nothing was measured that can be drawn, or the file cannot be written.
    pub(super) fn write(&self, path: &Path) -> Outcome<()> {
        let (arrivals, waits) = self.rush_curves();
        let memory = self.memory.iter().map(|(at, size)| (at.as_secs_f64(), *size)).collect();
        let panels = [
            ("On-sale rush of 1,000 places: answers a second", arrivals),
            ("On-sale rush: milliseconds from a buyer's arrival to the answer", waits),
            ("100 users: memory of the program, MiB", vec![("VmRSS", BLUE, memory)]),
        ];
        let panels: Vec<_> = panels.into_iter().filter(|(_, curves)| has_points(curves)).collect();
        if panels.is_empty() {
            return Err("--plot: too little was measured".into());
        }
        let height = HEIGHT * u32::try_from(panels.len())?;
        let root = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
        root.fill(&WHITE)?;
        for ((title, curves), panel) in panels.iter().zip(root.split_evenly((panels.len(), 1))) {
            draw(&panel, title, curves)?;
        }
        root.present()?;
        Ok(())
    }

    /// Answers a second by what they were, and percentiles of the wait, in each half second.
    fn rush_curves(&self) -> (Vec<Curve>, Vec<Curve>) {
        let mut slots = BTreeMap::<u32, Vec<&Sample>>::new();
        for sample in self.rush.iter().filter(|sample| sample.step == Step::Reserve) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes at most")]
            let slot = sample.at.div_duration_f64(POINT) as u32;
            slots.entry(slot).or_default().push(sample);
        }
        // The last one is not full.
        slots.pop_last();
        let curve = |value: &dyn Fn(&[&Sample]) -> f64| -> Points {
            let point = |(slot, samples): (&u32, &Vec<&Sample>)| {
                ((POINT * *slot).as_secs_f64() + POINT.as_secs_f64() / 2.0, value(samples))
            };
            slots.iter().map(point).collect()
        };
        let rate = |is_meant: fn(&Sample) -> bool| {
            curve(&|samples| {
                let count = samples.iter().filter(|sample| is_meant(sample)).count();
                number(count) / POINT.as_secs_f64()
            })
        };
        let wait = |share: f64| {
            curve(&|samples| {
                let mut times: Vec<_> = samples.iter().map(|sample| sample.took).collect();
                percentile(&mut times, share)
            })
        };
        let arrivals = vec![
            ("arrivals", BLACK, rate(|_| true)),
            ("201, got a place", GREEN, rate(|sample| sample.status == 201)),
            ("409, sold out", BLUE, rate(|sample| sample.status == 409)),
            ("anything else", RED, rate(|sample| !matches!(sample.status, 201 | 409))),
        ];
        let waits =
            vec![("p50", GREEN, wait(0.50)), ("p99", BLUE, wait(0.99)), ("longest", RED, wait(0.999_999))];
        (arrivals, waits)
    }
}

fn has_points(curves: &[Curve]) -> bool {
    curves.iter().any(|(_, _, points)| points.len() > 1)
}

fn draw(panel: &Panel<'_>, title: &str, curves: &[Curve]) -> Outcome<()> {
    let points = || curves.iter().flat_map(|(_, _, points)| points);
    let end = points().map(|(at, _)| *at).fold(0.0, f64::max);
    let highest = points().map(|(_, value)| *value).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(panel)
        .caption(title, ("sans-serif", 16))
        .margin(10)
        .x_label_area_size(34)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..end, 0.0..highest * 1.1)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("seconds")
        .label_style(("sans-serif", 12))
        .draw()?;
    for (name, colour, points) in curves {
        let style = colour.stroke_width(2);
        let series = chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
        series.label(*name).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .label_font(("sans-serif", 12))
        .draw()?;
    Ok(())
}
