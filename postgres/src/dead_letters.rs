//! Dead letters: what could not be handled, until a person or a retry has dealt with it.

use crate::connections::Database;
use crate::error::corrupt;
use crate::event_store::stream_id;
use crate::rows::{column, json_texts, signed, timestamp, unsigned};
use async_trait::async_trait;
use composable_rust_core::port::{
    DeadLetter, DeadLetterFilter, DeadLetterQueue, DlqStats, DlqStatus, NewDeadLetter, Page, PageRequest,
    StoreError,
};
use composable_rust_core::{DeadLetterId, Position, StreamId};
use sqlx::postgres::PgRow;
use std::sync::Arc;

/// Most letters on a page.
const MAX_PAGE: u32 = 1_000;

/// Columns of a letter in the order in which [`letter`] reads them.
macro_rules! columns {
    () => {
        "l.id, l.subscription, l.stream, l.position, l.event_type, l.payload, l.error_chain, l.attempts,
         l.first_failed_at, l.last_failed_at, l.status, l.resolved_by, l.resolved_at, l.notes"
    };
}

const ADD: &str =
    "INSERT INTO dead_letters (id, subscription, stream, position, event_type, payload, error_chain,
        attempts, first_failed_at, last_failed_at, status) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending')
    ON CONFLICT (subscription, position) WHERE position IS NOT NULL DO UPDATE SET attempts = excluded.attempts, error_chain = excluded.error_chain,
        last_failed_at = excluded.last_failed_at, status = 'pending',
        resolved_by = NULL, resolved_at = NULL, notes = NULL
    RETURNING id";

const GET: &str = concat!("SELECT ", columns!(), " FROM dead_letters l WHERE l.id = $1");

/// The total and the page in one statement, so that they are of one moment.
const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    ", n.total FROM
        (SELECT count(*) AS total FROM dead_letters WHERE ($1::text IS NULL OR subscription = $1)
            AND ($2::text[] IS NULL OR status = ANY ($2)) AND ($3::text IS NULL OR stream = $3)) n
        LEFT JOIN (SELECT * FROM dead_letters WHERE ($1::text IS NULL OR subscription = $1)
            AND ($2::text[] IS NULL OR status = ANY ($2)) AND ($3::text IS NULL OR stream = $3)
            ORDER BY position NULLS FIRST, first_failed_at, id LIMIT $4 OFFSET $5) l ON true
    ORDER BY l.position NULLS FIRST, l.first_failed_at, l.id"
);

/// The dead letters of one database.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    database: Arc<Database>,
}

impl DeadLetters {
    pub(crate) fn new(database: &Arc<Database>) -> Self {
        Self { database: Arc::clone(database) }
    }
}

#[async_trait]
impl DeadLetterQueue for DeadLetters {
    async fn add(&self, letter: NewDeadLetter) -> Result<DeadLetterId, StoreError> {
        let statement = sqlx::query(ADD)
            .bind(letter.id.as_uuid())
            .bind(letter.subscription)
            .bind(letter.stream.as_str())
            .bind(letter.position.map(Position::as_i64))
            .bind(letter.event_type)
            .bind(letter.payload.to_vec())
            .bind(json_texts(letter.error_chain.iter().map(String::as_str)))
            .bind(i64::from(letter.attempts))
            .bind(letter.first_failed_at.as_microsecond())
            .bind(letter.last_failed_at.as_microsecond());
        let rows = self.database.all("park a failure", statement).await?;
        let kept = rows.first().map(|row| column(row, 0)).transpose()?;
        Ok(kept.map_or(letter.id, DeadLetterId::from_uuid))
    }

    async fn get(&self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
        let statement = sqlx::query(GET).bind(id.as_uuid());
        let row = self.database.first("get a dead letter", statement).await?;
        row.map(|row| letter(&row)).transpose()
    }

    async fn list(
        &self,
        filter: &DeadLetterFilter,
        page: PageRequest,
    ) -> Result<Page<DeadLetter>, StoreError> {
        if page.page == 0 || page.size == 0 || page.size > MAX_PAGE {
            let reason = format!("pages are numbered from 1 and have 1 to {MAX_PAGE} letters, got {page:?}");
            return Err(StoreError::InvalidRequest(reason));
        }
        let statement = sqlx::query(LIST)
            .bind(filter.subscription.as_deref())
            .bind((!filter.statuses.is_empty()).then(|| names(&filter.statuses)))
            .bind(filter.stream.as_ref().map(StreamId::as_str))
            .bind(i64::from(page.size))
            .bind(signed(page.offset()));
        let rows = self.database.all("list dead letters", statement).await?;
        let total = rows.first().map_or(Ok(0), |row| unsigned(row, 14))?;
        let mut items = Vec::with_capacity(rows.len());
        for row in &rows {
            if column::<Option<uuid::Uuid>>(row, 0)?.is_some() {
                items.push(letter(row)?);
            }
        }
        Ok(Page { items, total })
    }

    async fn parked_streams(&self, subscription: &str) -> Result<Vec<StreamId>, StoreError> {
        let statement = sqlx::query(
            "SELECT DISTINCT stream FROM dead_letters
             WHERE status IN ('pending', 'processing') AND subscription = $1 ORDER BY stream",
        )
        .bind(subscription);
        let rows = self.database.all("find parked streams", statement).await?;
        rows.iter().map(|row| stream_id(column(row, 0)?)).collect()
    }

    async fn transition(
        &self,
        id: DeadLetterId,
        from: &[DlqStatus],
        to: DlqStatus,
        by: Option<&str>,
        notes: Option<&str>,
    ) -> Result<bool, StoreError> {
        let settled = match to {
            DlqStatus::Resolved | DlqStatus::Discarded => true,
            DlqStatus::Pending | DlqStatus::Processing => false,
        };
        let statement = sqlx::query(
            "UPDATE dead_letters SET status = $1, resolved_by = $2, resolved_at = $3, notes = coalesce($4, notes)
             WHERE id = $5 AND status = ANY ($6) RETURNING 1",
        )
        .bind(name(to))
        .bind(by.filter(|_| settled))
        .bind(settled.then(|| self.database.now().as_microsecond()))
        .bind(notes)
        .bind(id.as_uuid())
        .bind(names(from));
        Ok(!self.database.all("move a dead letter on", statement).await?.is_empty())
    }

    async fn stats(&self) -> Result<DlqStats, StoreError> {
        let statement = sqlx::query("SELECT status, count(*) FROM dead_letters GROUP BY status");
        let mut stats = DlqStats::default();
        for row in self.database.all("count dead letters", statement).await? {
            let count = unsigned(&row, 1)?;
            match status(column(&row, 0)?)? {
                DlqStatus::Pending => stats.pending = count,
                DlqStatus::Processing => stats.processing = count,
                DlqStatus::Resolved => stats.resolved = count,
                DlqStatus::Discarded => stats.discarded = count,
            }
        }
        Ok(stats)
    }
}

fn names(statuses: &[DlqStatus]) -> Vec<&'static str> {
    statuses.iter().copied().map(name).collect()
}

const fn name(status: DlqStatus) -> &'static str {
    match status {
        DlqStatus::Pending => "pending",
        DlqStatus::Processing => "processing",
        DlqStatus::Resolved => "resolved",
        DlqStatus::Discarded => "discarded",
    }
}

fn status(text: &str) -> Result<DlqStatus, StoreError> {
    [DlqStatus::Pending, DlqStatus::Processing, DlqStatus::Resolved, DlqStatus::Discarded]
        .into_iter()
        .find(|status| name(*status) == text)
        .ok_or_else(|| StoreError::Corrupt(format!("a dead letter's status is {text:?}")))
}

fn letter(row: &PgRow) -> Result<DeadLetter, StoreError> {
    Ok(DeadLetter {
        letter: NewDeadLetter {
            id: DeadLetterId::from_uuid(column(row, 0)?),
            subscription: column(row, 1)?,
            stream: stream_id(column(row, 2)?)?,
            position: column::<Option<i64>>(row, 3)?.map(Position::from_i64),
            event_type: column(row, 4)?,
            payload: column::<Vec<u8>>(row, 5)?.into(),
            error_chain: serde_json::from_str(column(row, 6)?)
                .map_err(|error| corrupt("the errors of a dead letter", &error))?,
            attempts: unsigned(row, 7)?,
            first_failed_at: timestamp(row, 8)?,
            last_failed_at: timestamp(row, 9)?,
        },
        status: status(column(row, 10)?)?,
        resolved_by: column(row, 11)?,
        resolved_at: column::<Option<i64>>(row, 12)?.is_some().then(|| timestamp(row, 12)).transpose()?,
        notes: column(row, 13)?,
    })
}
