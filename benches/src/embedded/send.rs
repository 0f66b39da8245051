//! A trivial reducer in a Store.

use crate::measure::{Case, Line, Stopwatch, compare, number};
use crate::{Outcome, Settings};
use composable_rust::runtime::live_environment;
use composable_rust::runtime::store::Store;
use composable_rust::{Effects, Environment, reducer};
use std::hint::black_box;
use std::sync::{Mutex, PoisonError};

pub(crate) const NAME: &str = "store send, no effects";

const SENDS: usize = 1_000_000;

pub(crate) async fn measure(settings: &Settings) -> Outcome<Vec<Line>> {
    let add = reducer(|total: &mut u64, by: u64, _: &Environment| {
        *total = total.wrapping_add(by);
        Effects::none()
    });
    let store = Store::new(0, add, live_environment());
    let ours = async || {
        let watch = Stopwatch::start();
        for _ in 0..SENDS {
            store.send(black_box(1))?;
        }
        Ok(vec![watch.elapsed().as_secs_f64() * 1e9 / number(SENDS)])
    };
    let total = Mutex::new(0_u64);
    let reference = async || {
        let watch = Stopwatch::start();
        for _ in 0..SENDS {
            let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
            *total = total.wrapping_add(black_box(1));
        }
        Ok(vec![watch.elapsed().as_secs_f64() * 1e9 / number(SENDS)])
    };
    let case = Case { name: NAME, unit: "ns", reference_name: "a number under a std Mutex" };
    compare(case, settings, ours, reference).await
}
