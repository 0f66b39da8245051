//! The limits of the adapter, each with its unit. Not here: the file's path (`open.rs`).

use std::time::Duration;

/// Limits of one opened SQLite file.
///
/// ```
/// use composable_rust_sqlite::SqliteOptions;
/// let options = SqliteOptions { readers: 8, ..SqliteOptions::default() };
/// assert_eq!(options.wal_pages, 4_096);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// Connections that read at the same time, each with a thread and a cache of its own; at least 1. Writes have
    /// one more. Default 4.
    pub readers: usize,
    /// How long a statement waits for a lock that other software (a shell, a backup) holds. Default 5 s.
    pub busy_timeout: Duration,
    /// Page cache of each connection in KiB. Default 16,384.
    pub cache_kib: u32,
    /// Pages of 4 KiB in the write-ahead log after which a commit moves them into the file. More makes commits
    /// steadier and recovery after a crash slower. Default 4,096 (16 MiB).
    pub wal_pages: u32,
    /// Largest size in bytes of the write-ahead log file that is kept once its pages were moved. Default 64 MiB.
    pub wal_kept_bytes: u64,
    /// Prepared statements kept by each connection. Default 512.
    pub statements: usize,
    /// Streams whose row and version the writer remembers, about 200 bytes each; others are looked up when they are
    /// written. Default 10,000.
    pub known_streams: usize,
    /// Bytes of the newest events kept in memory for whoever follows the log. Default 16 MiB.
    pub tail_bytes: usize,
    /// Rows that a connection's thread reads ahead of its caller: beside a page of events, which ends by bytes, at most so
    /// many more events of up to 1 MiB are in memory for each reader. Default 256.
    pub row_buffer: usize,
    /// Largest size of the file in pages of 4 KiB; beyond it writes answer `StoreError::Full`. Default: no limit but
    /// the disk's.
    pub file_pages: Option<u32>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            cache_kib: 16_384,
            wal_pages: 4_096,
            wal_kept_bytes: 64 * 1024 * 1024,
            statements: 512,
            known_streams: 10_000,
            tail_bytes: 16 * 1024 * 1024,
            row_buffer: 256,
            file_pages: None,
        }
    }
}
