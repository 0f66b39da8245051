//! The names of tables and columns, which become a part of statements and are checked for it.

use crate::error::corrupt;
use composable_rust_core::port::{ReadModel, RowChange, StoreError};

/// Longest name of a read model or of a column in bytes.
const MAX_NAME_BYTES: usize = 48;
/// Most indexed columns of a read model.
const MAX_INDEXES: usize = 64;

/// A piece of SQL for each indexed column, one after the other.
pub(super) fn each_index(model: &ReadModel, piece: impl Fn(&str) -> String) -> String {
    model.indexes.iter().map(|name| piece(name)).collect::<Vec<_>>().concat()
}

/// The name of the model's table, short enough for the server (63 bytes).
pub(super) fn table(model: &ReadModel) -> Result<String, StoreError> {
    check_name("read model", &model.name)?;
    Ok(format!("v_{}_{}", model.name, model.generation))
}

pub(super) fn check_columns(model: &ReadModel) -> Result<(), StoreError> {
    if model.indexes.len() > MAX_INDEXES {
        let reason = format!("read model {} indexes more than {MAX_INDEXES} columns", model.name);
        return Err(StoreError::InvalidRequest(reason));
    }
    model.indexes.iter().try_for_each(|name| check_name("column", name))
}

pub(super) fn check_changes(model: &ReadModel, changes: &[RowChange]) -> Result<(), StoreError> {
    check_columns(model)?;
    for change in changes {
        let (key, fits) = match change {
            RowChange::Put { key, indexes, .. } => (key, indexes.len() == model.indexes.len()),
            RowChange::Delete { key } => (key, true),
        };
        if !fits || key.contains('\0') {
            return Err(StoreError::InvalidRequest(format!(
                "row {key:?} of read model {}: a value for each of {:?} and a key without NUL is needed",
                model.name, model.indexes
            )));
        }
    }
    Ok(())
}

pub(super) fn check_name(kind: &str, name: &str) -> Result<(), StoreError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(allowed) {
        return Err(StoreError::InvalidRequest(format!(
            "the {kind} {name:?} needs a name of 1 to {MAX_NAME_BYTES} characters of a-z, 0-9 and _"
        )));
    }
    Ok(())
}

pub(super) fn other_columns(model: &ReadModel, known: &str) -> StoreError {
    match serde_json::from_str::<Vec<String>>(known) {
        Ok(known) => StoreError::InvalidRequest(format!(
            "generation {} of read model {} was built with the indexes {known:?}, not {:?}; build the next generation",
            model.generation, model.name, model.indexes
        )),
        Err(error) => corrupt("the indexes of a read model", &error),
    }
}
