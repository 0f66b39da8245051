//! The bus of Composable Rust on any broker of the Kafka protocol: Redpanda, Apache Kafka.
//!
//! [`RedpandaEventBus`] publishes committed events and hands them to groups of consumers, with the contract of the
//! port. It names topics by categories and keys by streams, makes the topics that are missing and checks those that are
//! there. What each message carries is said in [`headers`].
//!
//! Not here: what is done with the events, and how often something that fails is tried. The events are in the log, and
//! whoever publishes from it goes on where it was; whoever receives commits when its effects are durable.
//!
//! ```no_run
//! use composable_rust_redpanda::{RedpandaEventBus, RedpandaOptions};
//! # async fn example() -> Result<(), composable_rust_core::port::BusError> {
//! let options = RedpandaOptions { partitions: 16, ..RedpandaOptions::new("kafka-1:9092,kafka-2:9092") };
//! let bus = RedpandaEventBus::connect(options).await?;
//! # Ok(())
//! # }
//! ```

mod options;

mod bus;
mod config;
mod error;
mod wire;

mod publisher;
mod topics;

mod blocking;
mod inbox;
mod member;
mod poller;

pub use bus::RedpandaEventBus;
pub use options::{RedpandaOptions, Sasl, SaslMechanism, Security, Tls};
pub use wire::headers;
