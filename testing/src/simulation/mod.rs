//! Deterministic simulation: a whole application on one thread under virtual time, from one seed.
//!
//! A [`Simulation`] owns what outlives a crash: storage, the world outside, time. A life of the application runs
//! inside [`Simulation::live`] and ends when its body does, or at a crash between any two awaits. The same seed gives
//! the same log, byte for byte ([`Simulation::log_text`]).
//!
//! Not simulated: threads, real files, sockets. For those there are tests with real processes.

mod clock;
mod fuse;
mod life;
mod log_text;
mod spawner;
mod world;

pub use life::{Ending, Life};
pub use world::Simulation;
