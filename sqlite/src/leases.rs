//! Leases: who may do some work, until when, under which fence.

use crate::connections::Database;
use crate::rows::{signed, timestamp, unsigned};
use async_trait::async_trait;
use composable_rust_core::later;
use composable_rust_core::port::{Lease, LeaseStore, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// The leases of one file.
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
        let mut write = self.database.write("acquire a lease").await?;
        let now = self.database.now();
        // A lease that has ended is nobody's: even its last holder gets a new fence.
        let statement = sqlx::query(
            "INSERT INTO leases (work, holder, fence, until) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT (work) DO UPDATE SET
                 fence = CASE WHEN holder = ?2 AND until > ?4 THEN fence ELSE fence + 1 END,
                 holder = ?2, until = ?3
             WHERE holder IS NULL OR holder = ?2 OR until <= ?4
             RETURNING fence, until",
        )
        .bind(work)
        .bind(holder)
        .bind(later(now, ttl).as_microsecond())
        .bind(now.as_microsecond());
        let rows = write.finish(statement).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(Lease {
            work: work.to_owned(),
            holder: holder.to_owned(),
            fence: unsigned(row, 0)?,
            until: timestamp(row, 1)?,
        }))
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let statement =
            sqlx::query("UPDATE leases SET holder = NULL WHERE work = ? AND holder = ? AND fence = ?")
                .bind(lease.work.as_str())
                .bind(lease.holder.as_str())
                .bind(signed(lease.fence));
        self.database.write("release a lease").await?.finish(statement).await.map(drop)
    }
}
