//! Getting written lines onto the disk without anybody waiting for the disk but who must: one flush for all lines that
//! were written meanwhile, on a thread of its own.

use composable_rust::{Position, Signal};
use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::Builder;

/// The flushing of one file, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Disk {
    written: Sender<u64>,
    state: State,
}

#[derive(Debug, Clone, Default)]
struct State {
    /// How many lines are on disk.
    flushed: Signal,
    /// Why no more can be got there. What is in the file then is known to nobody until it is read again.
    failure: Arc<OnceLock<String>>,
}

impl Disk {
    /// Begins to flush `file`.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn of(file: File) -> io::Result<Self> {
        let (written, lines) = channel();
        let state = State::default();
        let own = state.clone();
        Builder::new().name("gateway books".to_owned()).spawn(move || own.flush(&file, &lines))?;
        Ok(Self { written, state })
    }

    /// So many lines are written in all.
    ///
    /// # Errors
    /// When lines before could not be flushed.
    pub(super) fn wrote(&self, lines: u64) -> io::Result<()> {
        self.state.check()?;
        self.written.send(lines).map_err(io::Error::other)
    }

    /// Completes when so many lines are on disk.
    ///
    /// # Errors
    /// When they could not be flushed.
    ///
    /// # Cancel safety
    /// Dropping the future stops the waiting alone.
    pub(super) async fn has(&self, lines: u64) -> io::Result<()> {
        self.state.flushed.reached(Position::ZERO.plus(lines)).await;
        self.state.check()
    }
}

impl State {
    fn flush(&self, file: &File, lines: &Receiver<u64>) {
        while let Ok(mut count) = lines.recv() {
            // All that were written meanwhile go with it.
            count = lines.try_iter().last().unwrap_or(count);
            if let Err(error) = file.sync_data() {
                // The first failure is the last: it stays.
                _ = self.failure.set(error.to_string());
                self.flushed.advance(Position::MAX);
                return;
            }
            self.flushed.advance(Position::ZERO.plus(count));
        }
    }

    fn check(&self) -> io::Result<()> {
        self.failure.get().map_or(Ok(()), |failure| Err(io::Error::other(failure.clone())))
    }
}
