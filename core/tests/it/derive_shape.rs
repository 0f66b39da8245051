//! What counts for the shape of a kept value, and what does not.

use composable_rust_core::{Data, Id, Label, Row, Shape, Shaped, State};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Declares a type `T` in a module of its own, beside a `Line` and a `Status` that it may be made of.
macro_rules! declared {
    ($module:ident, $line:ty, $label:literal, $($item:tt)*) => {
        mod $module {
            #[expect(unused_imports, reason = "a state has no key, a row is no state")]
            use super::{BTreeMap, Data, Label, Row, State};

            #[derive(Debug, Clone, PartialEq, Data)]
            pub(super) struct Line { price: $line }

            #[derive(Debug, Clone, Copy, PartialEq, Label)]
            pub(super) enum Status { #[label($label)] Open, Closed }

            $($item)*
        }
    };
}

declared!(
    as_it_was,
    u32,
    "open",
    #[derive(Debug, Clone, PartialEq, Row)]
    #[row(key = "id", index = "sum")]
    pub(super) struct T {
        id: String,
        sum: i64,
        lines: BTreeMap<String, Vec<Line>>,
        status: Option<Status>,
    }
);
declared!(
    told_otherwise,
    u32,
    "open",
    /// Another name, another order of the fields and other comments are the same rows.
    #[derive(Debug, Clone, PartialEq, Row)]
    #[row(key = "id", index = "sum")]
    pub(super) struct Other {
        lines: BTreeMap<String, Vec<Line>>,
        /// The key.
        id: String,
        status: Option<Status>,
        sum: i64,
    }
);
declared!(
    with_a_field_more,
    u32,
    "open",
    #[derive(Debug, Clone, PartialEq, Row)]
    #[row(key = "id", index = "sum")]
    pub(super) struct T {
        id: String,
        sum: i64,
        lines: BTreeMap<String, Vec<Line>>,
        status: Option<Status>,
        #[serde(default)]
        more: u8,
    }
);
declared!(
    with_another_type,
    u32,
    "open",
    #[derive(Debug, Clone, PartialEq, Row)]
    #[row(key = "id", index = "sum")]
    pub(super) struct T {
        id: String,
        sum: i32,
        lines: BTreeMap<String, Vec<Line>>,
        status: Option<Status>,
    }
);
declared!(
    with_another_index,
    u32,
    "open",
    #[derive(Debug, Clone, PartialEq, Row)]
    #[row(key = "id", index = "sum, status")]
    pub(super) struct T {
        id: String,
        sum: i64,
        lines: BTreeMap<String, Vec<Line>>,
        status: Option<Status>,
    }
);
declared!(
    with_another_name_in_json,
    u32,
    "open",
    #[derive(Debug, Clone, PartialEq, Row)]
    #[row(key = "id", index = "sum")]
    #[serde(rename_all = "camelCase")]
    pub(super) struct T {
        id: String,
        sum: i64,
        lines: BTreeMap<String, Vec<Line>>,
        status: Option<Status>,
    }
);
declared!(
    with_another_line,
    u64,
    "open",
    #[derive(Debug, Clone, PartialEq, Row)]
    #[row(key = "id", index = "sum")]
    pub(super) struct T {
        id: String,
        sum: i64,
        lines: BTreeMap<String, Vec<Line>>,
        status: Option<Status>,
    }
);
declared!(
    with_another_label,
    u32,
    "on sale",
    #[derive(Debug, Clone, PartialEq, Row)]
    #[row(key = "id", index = "sum")]
    pub(super) struct T {
        id: String,
        sum: i64,
        lines: BTreeMap<String, Vec<Line>>,
        status: Option<Status>,
    }
);
declared!(
    state_as_it_was,
    u32,
    "open",
    #[derive(Debug, Clone, PartialEq, State)]
    pub(super) enum T {
        Open,
        Closed(Vec<Line>, Status),
        Within { inner: Box<Self> },
    }
);
declared!(
    state_with_another_line,
    u8,
    "open",
    #[derive(Debug, Clone, PartialEq, State)]
    pub(super) enum T {
        Closed(Vec<Line>, Status),
        Open,
        Within { inner: Box<Self> },
    }
);

/// A type that contains itself through another.
#[derive(Debug, Clone, PartialEq, Data)]
struct Folder {
    name: FolderName,
    files: Vec<File>,
}

#[derive(Debug, Clone, PartialEq, Data)]
enum File {
    Text(#[serde(rename = "text")] String),
    Inner(Folder),
}

#[derive(Debug, Clone, PartialEq, Id)]
struct FolderName(String);

#[derive(Debug, Clone, PartialEq, Id)]
struct FolderId(Uuid);

fn digest<T: Shaped>() -> String {
    Shape::of::<T>().digest()
}

#[test]
fn names_of_types_the_order_of_fields_and_comments_do_not_count() {
    assert_eq!(digest::<as_it_was::T>(), digest::<told_otherwise::Other>());
}

#[test]
fn fields_types_indexes_and_names_in_json_count() {
    let shapes = [
        digest::<as_it_was::T>(),
        digest::<with_a_field_more::T>(),
        digest::<with_another_type::T>(),
        digest::<with_another_index::T>(),
        digest::<with_another_name_in_json::T>(),
    ];
    let different: std::collections::BTreeSet<_> = shapes.iter().collect();
    assert_eq!(different.len(), shapes.len());
}

#[test]
fn the_types_in_fields_count_however_deep() {
    assert_ne!(digest::<as_it_was::T>(), digest::<with_another_line::T>());
    assert_ne!(digest::<as_it_was::T>(), digest::<with_another_label::T>());
    assert_ne!(digest::<state_as_it_was::T>(), digest::<state_with_another_line::T>());
    assert_ne!(digest::<FolderName>(), digest::<FolderId>());
}

#[test]
fn a_type_may_contain_itself() {
    assert_ne!(digest::<Folder>(), digest::<File>(), "the outermost type alone has no name");
}

#[test]
fn a_digest_is_the_same_in_every_build() {
    assert_eq!(digest::<Folder>(), "5397ed5e4ad45459a4dca0ede29a97e6");
}
