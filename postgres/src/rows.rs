//! The reading of columns by index, and what becomes an array to bind.
//!
//! Many rows are written by one statement over arrays (`unnest`), so its text is the same for any number of them.

use composable_rust_core::port::StoreError;
use jiff::Timestamp;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Decode, Postgres, Row, Type};

/// A statement with its arguments.
pub(crate) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// A JSON array of texts.
pub(crate) fn json_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<&str> = texts.into_iter().collect();
    serde_json::to_string(&texts).unwrap_or_default()
}

/// Column `index` without the check of its declared type, which our own statements need not pay for.
pub(crate) fn column<'r, T>(row: &'r PgRow, index: usize) -> Result<T, StoreError>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
{
    row.try_get_unchecked(index).map_err(|error| StoreError::Corrupt(format!("column {index}: {error}")))
}

/// A moment from a column of microseconds since 1970. The last and first moments there are have a part of a second that
/// cannot be read back; they stay what they are.
pub(crate) fn timestamp(row: &PgRow, index: usize) -> Result<Timestamp, StoreError> {
    let micros: i64 = column(row, index)?;
    let edge = if micros > 0 { Timestamp::MAX } else { Timestamp::MIN };
    Ok(Timestamp::from_microsecond(micros).unwrap_or(edge))
}

/// A count or number from a `bigint` column, where a negative one is damage.
pub(crate) fn unsigned<T: TryFrom<i64>>(row: &PgRow, index: usize) -> Result<T, StoreError> {
    checked(column::<i64>(row, index)?, index)
}

/// As [`unsigned`], from an `integer` column.
pub(crate) fn small<T: TryFrom<i64>>(row: &PgRow, index: usize) -> Result<T, StoreError> {
    checked(column::<i32>(row, index)?.into(), index)
}

fn checked<T: TryFrom<i64>>(number: i64, index: usize) -> Result<T, StoreError> {
    T::try_from(number).map_err(|_| StoreError::Corrupt(format!("column {index} cannot be {number}")))
}

/// `number` for a `bigint` column; what is larger than one holds becomes the largest.
pub(crate) fn signed(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// `number` for an `integer` column; what is larger than one holds becomes the largest.
pub(crate) fn signed_small(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}
