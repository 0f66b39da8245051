//! The check of every number and time of the options: none that hangs, floods or exhausts the memory.
//!
//! Not here: what an option means, which its own documentation says.

use super::{ApplicationOptions, Finding};
use composable_rust_projections::SubscriptionOptions;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Things handled at once or kept for somebody.
const ITEMS: RangeInclusive<u64> = 1..=1_000_000;
/// Things kept in memory; room for their index may be taken at the start.
const CACHED: RangeInclusive<u64> = 1..=100_000_000;
/// Bytes of a batch.
const BYTES: RangeInclusive<u64> = 1..=1 << 30;
/// Bytes that wait, all in memory.
const WAITING_BYTES: RangeInclusive<u64> = 1..=1 << 40;
/// Pauses and intervals: a shorter one is a busy loop.
const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(1)..=DAY;
/// A lease is renewed at a third of its time.
const LEASE: RangeInclusive<Duration> = Duration::from_millis(100)..=DAY;
/// How long something may take or is kept; at once is a choice.
const SPAN: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(24 * 365);
const DAY: Duration = Duration::from_hours(24);

/// Adds every option that is out of its range.
pub(super) fn check(options: &ApplicationOptions, findings: &mut Vec<Finding>) {
    let mut limits = Limits { findings };
    commands(options, &mut limits);
    processes(options, &mut limits);
    projections(options, &mut limits);
    subscription("subscriptions", &options.subscriptions, &mut limits);
    relay(options, &mut limits);
    limits.time("drain_timeout", options.drain_timeout, SPAN);
    limits.count("notice_buffer", options.notice_buffer, ITEMS);
}

fn commands(options: &ApplicationOptions, limits: &mut Limits<'_>) {
    let commands = &options.commands;
    limits.number("commands.max_attempts", commands.max_attempts.into(), 1..=1_000);
    limits.time("commands.first_pause", commands.first_pause, Duration::ZERO..=DAY);
    limits.time("commands.longest_pause", commands.longest_pause, Duration::ZERO..=DAY);
    limits.count("commands.max_events", commands.max_events, ITEMS);
    limits.count("commands.max_bytes", commands.max_bytes, BYTES);
    limits.count("commands.cached_aggregates", commands.cached_aggregates, CACHED);
    limits.count("commands.committer.max_batch", commands.committer.max_batch, ITEMS);
    limits.count("commands.committer.max_waiting", commands.committer.max_waiting, CACHED);
    limits.count("commands.committer.max_batch_bytes", commands.committer.max_batch_bytes, BYTES);
    limits.count("commands.committer.max_waiting_bytes", commands.committer.max_waiting_bytes, WAITING_BYTES);
}

fn processes(options: &ApplicationOptions, limits: &mut Limits<'_>) {
    let processes = &options.processes;
    limits.count("processes.cached_instances", processes.cached_instances, CACHED);
    limits.count("processes.concurrent_steps", processes.concurrent_steps, ITEMS);
    limits.count("processes.concurrent_work", processes.concurrent_work, ITEMS);
    limits.time("processes.poll_interval", processes.poll_interval, INTERVAL);
    limits.time("processes.first_pause", processes.first_pause, INTERVAL);
    limits.time("processes.longest_pause", processes.longest_pause, INTERVAL);
}

fn relay(options: &ApplicationOptions, limits: &mut Limits<'_>) {
    limits.count("relay.max_batch", options.relay.max_batch, ITEMS);
    limits.time("relay.publish_timeout", options.relay.publish_timeout, INTERVAL);
    limits.time("relay.circuit.open_for", options.relay.circuit.open_for, SPAN);
}

fn projections(options: &ApplicationOptions, limits: &mut Limits<'_>) {
    let projections = &options.projections;
    subscription("projections.subscription", &projections.subscription, limits);
    limits.count("projections.rows_kept", projections.rows_kept, 0..=*CACHED.end());
    limits.time("projections.generation_check", projections.generation_check, INTERVAL);
    limits.time("projections.drop_after", projections.drop_after, SPAN);
    limits.time("projections.wait_poll", projections.wait_poll, INTERVAL);
    limits.time("projections.wait_timeout", projections.wait_timeout, SPAN);
}

fn subscription(at: &str, options: &SubscriptionOptions, limits: &mut Limits<'_>) {
    limits.count(&format!("{at}.batch_size"), options.batch_size, ITEMS);
    limits.count(&format!("{at}.batch_bytes"), options.batch_bytes, BYTES);
    limits.time(&format!("{at}.lease_ttl"), options.lease_ttl, LEASE);
    for (field, time) in [
        ("poll_interval", options.poll_interval),
        ("reread_interval", options.reread_interval),
        ("lease_retry", options.lease_retry),
        ("backoff.first", options.backoff.first),
        ("backoff.longest", options.backoff.longest),
        ("parked_check", options.parked_check),
    ] {
        limits.time(&format!("{at}.{field}"), time, INTERVAL);
    }
    limits.time(&format!("{at}.lazy_checkpoint"), options.lazy_checkpoint, Duration::ZERO..=DAY);
}

struct Limits<'a> {
    findings: &'a mut Vec<Finding>,
}

impl Limits<'_> {
    fn count(&mut self, name: &str, value: usize, range: RangeInclusive<u64>) {
        self.number(name, value as u64, range);
    }

    fn number(&mut self, name: &str, value: u64, range: RangeInclusive<u64>) {
        if !range.contains(&value) {
            let fix = if value < *range.start() {
                format!("set {name} to at least {}", range.start())
            } else {
                format!("set {name} to at most {}", range.end())
            };
            self.findings.push(Finding::new(format!("option {name} is {value}"), fix));
        }
    }

    fn time(&mut self, name: &str, value: Duration, range: RangeInclusive<Duration>) {
        if !range.contains(&value) {
            let fix = if value < *range.start() {
                format!("set {name} to at least {:?}", range.start())
            } else {
                format!("set {name} to at most {} hours", range.end().as_secs() / 3600)
            };
            self.findings.push(Finding::new(format!("option {name} is {value:?}"), fix));
        }
    }
}
