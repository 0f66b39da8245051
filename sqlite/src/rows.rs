//! Statements that write many rows at once, and the reading of columns by index.
//!
//! One statement with many rows of values is several times faster than many statements. Its text for each number of
//! rows is made once, so that the connection finds it prepared.
//!
//! A limit is written `LIMIT +?` everywhere: SQLite plans `LIMIT ?` by the number that is bound, and prepares the
//! statement anew whenever one is bound again, which costs more than most reads.

use composable_rust_core::port::StoreError;
use jiff::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Decode, Row, Sqlite, Type};
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// A statement with its arguments.
pub(crate) type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

/// Up to so many rows have a statement of their own count.
const EXACT: usize = 64;
/// More rows are written so many at a time.
const LARGE: usize = 256;

/// A statement over a number of rows of values.
#[derive(Debug)]
pub(crate) struct RowStatement {
    head: &'static str,
    row: &'static str,
    tail: &'static str,
    texts: [OnceLock<Arc<str>>; EXACT + 1],
}

impl RowStatement {
    /// `head (row), (row), … tail`.
    pub(crate) const fn new(head: &'static str, row: &'static str, tail: &'static str) -> Self {
        Self { head, row, tail, texts: [const { OnceLock::new() }; EXACT + 1] }
    }

    /// The statement for `count` rows, which [`chunk`] gave.
    pub(crate) fn of<'q>(&self, count: usize) -> Statement<'q> {
        sqlx::query(AssertSqlSafe(Arc::clone(self.shared(count))))
    }

    /// The text for `count` rows, to be a part of a longer statement.
    pub(crate) fn text(&self, count: usize) -> &str {
        self.shared(count)
    }

    fn shared(&self, count: usize) -> &Arc<str> {
        let slot = if count <= EXACT { count.saturating_sub(1) } else { EXACT };
        self.texts[slot].get_or_init(|| values(self.head, self.row, self.tail, count).into())
    }
}

/// How many of `left` rows the next statement takes.
pub(crate) const fn chunk(left: usize) -> usize {
    if left >= LARGE {
        LARGE
    } else if left > EXACT {
        EXACT
    } else {
        left
    }
}

/// The text of a statement over `count` rows.
pub(crate) fn values(head: &str, row: &str, tail: &str, count: usize) -> String {
    let mut text = String::with_capacity(head.len() + (row.len() + 1) * count + tail.len());
    text.push_str(head);
    for number in 0..count {
        if number > 0 {
            text.push(',');
        }
        text.push_str(row);
    }
    text.push_str(tail);
    text
}

/// A JSON array of texts, for `json_each`: one statement for any number of them.
pub(crate) fn json_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<&str> = texts.into_iter().collect();
    serde_json::to_string(&texts).unwrap_or_default()
}

/// A JSON array of ids in hexadecimal, for `unhex(value)` over `json_each`.
pub(crate) fn json_ids(ids: impl IntoIterator<Item = Uuid>) -> String {
    let mut text = String::from("[");
    let mut buffer = Uuid::encode_buffer();
    for id in ids {
        if text.len() > 1 {
            text.push(',');
        }
        text.push('"');
        text.push_str(id.simple().encode_lower(&mut buffer));
        text.push('"');
    }
    text.push(']');
    text
}

/// Column `index` without the check of its declared type, which our own statements need not pay for.
pub(crate) fn column<'r, T>(row: &'r SqliteRow, index: usize) -> Result<T, StoreError>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
{
    row.try_get_unchecked(index).map_err(|error| StoreError::Corrupt(format!("column {index}: {error}")))
}

/// An id from a column of 16 bytes.
pub(crate) fn uuid(row: &SqliteRow, index: usize) -> Result<Uuid, StoreError> {
    Uuid::from_slice(column(row, index)?).map_err(|error| StoreError::Corrupt(format!("an id: {error}")))
}

/// A moment from a column of microseconds since 1970. The last and first moments there are have a part of a second that
/// cannot be read back; they stay what they are.
pub(crate) fn timestamp(row: &SqliteRow, index: usize) -> Result<Timestamp, StoreError> {
    let micros: i64 = column(row, index)?;
    let edge = if micros > 0 { Timestamp::MAX } else { Timestamp::MIN };
    Ok(Timestamp::from_microsecond(micros).unwrap_or(edge))
}

/// A count or number from a signed column, where a negative one is damage.
pub(crate) fn unsigned<T: TryFrom<i64>>(row: &SqliteRow, index: usize) -> Result<T, StoreError> {
    let number: i64 = column(row, index)?;
    T::try_from(number).map_err(|_| StoreError::Corrupt(format!("column {index} cannot be {number}")))
}

/// `number` for a signed column; what is larger than one holds becomes the largest.
pub(crate) fn signed(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_any_number_of_rows() {
        for count in 0..1_000 {
            let (mut left, mut statements) = (count, 0);
            while left > 0 {
                left -= chunk(left);
                statements += 1;
            }
            assert!(
                statements <= count / LARGE + LARGE / EXACT + 1,
                "{count} rows took {statements} statements"
            );
        }
    }
}
