//! Leases: who may do some work, until when, under which fence. The server's clock decides, so instances whose clocks are
//! apart agree.

use crate::connections::Database;
use crate::rows::{signed, timestamp, unsigned};
use async_trait::async_trait;
use composable_rust_core::port::{Lease, LeaseStore, StoreError};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// The leases of one database.
#[derive(Debug)]
pub(crate) struct Leases {
    database: Arc<Database>,
}

impl Leases {
    pub(crate) fn new(database: &Arc<Database>) -> Self {
        Self { database: Arc::clone(database) }
    }
}

#[async_trait]
impl LeaseStore for Leases {
    async fn acquire(&self, work: &str, holder: &str, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        // A lease that has ended is nobody's: even its last holder gets a new fence.
        let statement = sqlx::query(
            "INSERT INTO leases AS l (work, holder, fence, until) VALUES ($1, $2, 1, store_time($4) + $3)
             ON CONFLICT (work) DO UPDATE SET
                 fence = CASE WHEN l.holder = $2 AND l.until > store_time($4) THEN l.fence ELSE l.fence + 1 END,
                 holder = $2, until = store_time($4) + $3
             WHERE l.holder IS NULL OR l.holder = $2 OR l.until <= store_time($4)
             RETURNING fence, until",
        )
        .bind(work)
        .bind(holder)
        // To the end of time at most: more could not be added to a moment.
        .bind(signed(ttl.as_micros()).min(Timestamp::MAX.as_microsecond()))
        .bind(self.database.given_time());
        let Some(row) = self.database.first("acquire a lease", statement).await? else { return Ok(None) };
        Ok(Some(Lease {
            work: work.to_owned(),
            holder: holder.to_owned(),
            fence: unsigned(&row, 0)?,
            until: timestamp(&row, 1)?,
        }))
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let statement =
            sqlx::query("UPDATE leases SET holder = NULL WHERE work = $1 AND holder = $2 AND fence = $3")
                .bind(lease.work.as_str())
                .bind(lease.holder.as_str())
                .bind(signed(lease.fence));
        self.database.all("release a lease", statement).await.map(drop)
    }
}
