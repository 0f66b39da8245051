//! Queries: every filter, every order, pages and totals.

use super::{ask, keys, named, priced, put, query, shows, text, titled, write};
use super::{batch, commit};
use crate::contract::fixture::Fixture;
use IndexValue::{Integer, Null};
use composable_rust_core::Position;
use composable_rust_core::port::{
    Filter, IndexValue, Order, PageRequest, Query, RowChange, StoreError, ViewBatch,
};

/// Rows with numbers and gaps: key, city, title, price.
fn five() -> Vec<RowChange> {
    vec![
        put("a", text("Bern"), text("Opera"), Integer(30)),
        put("b", text("Bern"), Null, Integer(-10)),
        put("c", Null, text("opera"), Integer(200)),
        put("d", text("Basel"), text("Jazz Opera Night"), Null),
        put("e", text("Bern"), text(""), Integer(30)),
    ]
}

fn equals(column: &str, value: IndexValue) -> Filter {
    Filter::Equals(column.into(), value)
}

fn contains(column: &str, part: &str) -> Filter {
    Filter::Contains(column.into(), part.into())
}

async fn found(fixture: &Fixture, filter: Filter) -> Vec<String> {
    keys(fixture, &query(vec![filter])).await
}

fn ordered_by(column: &str, descending: bool) -> Query {
    Query { order: Order { column: Some(column.into()), descending }, ..query(vec![]) }
}

/// Null equals itself and nothing else; an empty text is not Null.
pub async fn equals_finds_integers_texts_and_null(fixture: Fixture) {
    write(&fixture, five()).await;
    assert_eq!(found(&fixture, equals("price", Integer(30))).await, ["a", "e"]);
    assert_eq!(found(&fixture, equals("price", Integer(-10))).await, ["b"]);
    assert_eq!(found(&fixture, equals("price", Null)).await, ["d"]);
    assert_eq!(found(&fixture, equals("city", text("Basel"))).await, ["d"]);
    assert_eq!(found(&fixture, equals("city", Null)).await, ["c"]);
    assert_eq!(found(&fixture, equals("title", text(""))).await, ["e"]);
    assert_eq!(found(&fixture, equals("title", Null)).await, ["b"]);
    assert!(found(&fixture, equals("price", Integer(31))).await.is_empty());
}

/// Case, accents, spaces at the end and normal forms all matter.
pub async fn equals_compares_texts_byte_by_byte(fixture: Fixture) {
    let titles = ["Opera", "opera", "Opera ", "Ópera", "O\u{301}pera", "30"];
    write(&fixture, titles.iter().map(|title| titled(title, title)).collect()).await;
    for title in titles {
        assert_eq!(found(&fixture, equals("title", text(title))).await, [title]);
    }
    assert!(found(&fixture, equals("title", Integer(30))).await.is_empty(), "a number is not a text");
}

/// One of several values, with Null among them or not; of none there is none.
pub async fn any_of_finds_each_of_its_values(fixture: Fixture) {
    write(&fixture, five()).await;
    let any_of = |column: &str, values: Vec<IndexValue>| Filter::AnyOf(column.into(), values);
    assert_eq!(found(&fixture, any_of("price", vec![Integer(200), Integer(30)])).await, ["a", "c", "e"]);
    assert_eq!(found(&fixture, any_of("price", vec![Integer(200), Null])).await, ["c", "d"]);
    assert_eq!(found(&fixture, any_of("price", vec![Null])).await, ["d"]);
    assert_eq!(
        found(&fixture, any_of("city", vec![text("Basel"), text("Bern")])).await,
        ["a", "b", "d", "e"]
    );
    assert_eq!(found(&fixture, any_of("city", vec![text("Basel"), text("Basel")])).await, ["d"]);
    assert!(found(&fixture, any_of("city", vec![])).await.is_empty());
    let many = (0..3_000).map(Integer).collect();
    assert_eq!(found(&fixture, any_of("price", many)).await, ["a", "c", "e"]);
}

/// The lower bound is in the range, the upper is not; for numbers and texts.
pub async fn at_least_and_less_than_bound_a_range(fixture: Fixture) {
    write(&fixture, five()).await;
    let at_least = |column: &str, value: IndexValue| Filter::AtLeast(column.into(), value);
    let less_than = |column: &str, value: IndexValue| Filter::LessThan(column.into(), value);
    assert_eq!(found(&fixture, at_least("price", Integer(30))).await, ["a", "c", "e"]);
    assert_eq!(found(&fixture, at_least("price", Integer(31))).await, ["c"]);
    assert_eq!(found(&fixture, less_than("price", Integer(30))).await, ["b"]);
    assert_eq!(found(&fixture, less_than("price", Integer(31))).await, ["a", "b", "e"]);
    assert_eq!(found(&fixture, at_least("city", text("Bern"))).await, ["a", "b", "e"]);
    assert_eq!(found(&fixture, less_than("city", text("Bern"))).await, ["d"]);
    let range = query(vec![at_least("price", Integer(-10)), less_than("price", Integer(200))]);
    assert_eq!(keys(&fixture, &range).await, ["a", "b", "e"]);
}

/// Null is neither at least nor less than anything, and nothing is so to Null.
pub async fn comparisons_leave_out_null(fixture: Fixture) {
    write(&fixture, five()).await;
    for (column, least, most) in [
        ("price", Integer(i64::MIN), Integer(i64::MAX)),
        ("city", text(""), text("zzz")),
        ("title", text(""), text("zzz")),
    ] {
        let at_least = found(&fixture, Filter::AtLeast(column.into(), least)).await;
        let less_than = found(&fixture, Filter::LessThan(column.into(), most)).await;
        assert_eq!(at_least, less_than, "{column}");
        assert_eq!(at_least.len(), 4, "{column}");
        assert!(found(&fixture, Filter::AtLeast(column.into(), Null)).await.is_empty(), "{column}");
        assert!(found(&fixture, Filter::LessThan(column.into(), Null)).await.is_empty(), "{column}");
    }
}

/// Anywhere in the text; `a` matches `A`, but `ä` does not match `Ä`.
pub async fn contains_finds_a_part_of_a_text_in_either_ascii_case(fixture: Fixture) {
    let titles = ["Opera", "opera buffa", "Grand OPERA", "Oper", "Käse", "KÄSE"];
    write(&fixture, titles.iter().map(|title| titled(title, title)).collect()).await;
    for asked in ["opera", "OPERA", "oPeRa"] {
        assert_eq!(found(&fixture, contains("title", asked)).await, ["Grand OPERA", "Opera", "opera buffa"]);
    }
    assert_eq!(found(&fixture, contains("title", "pera b")).await, ["opera buffa"]);
    assert_eq!(found(&fixture, contains("title", "käse")).await, ["Käse"]);
    assert_eq!(found(&fixture, contains("title", "kÄse")).await, ["KÄSE"]);
    assert_eq!(found(&fixture, contains("title", "")).await.len(), titles.len());
    assert!(found(&fixture, contains("title", "operetta")).await.is_empty());
}

/// What a user types is text: percent, underscore, backslash, star, bracket and question mark mean themselves.
pub async fn contains_takes_pattern_characters_literally(fixture: Fixture) {
    let titles =
        ["100% jazz", "100 jazz", "a_b", "axb", "c\\d", "cd", "[e]", "e", "f*?", "fgh", "\\%", "\\_"];
    write(&fixture, titles.iter().map(|title| titled(title, title)).collect()).await;
    for (asked, expected) in [
        ("0% j", vec!["100% jazz"]),
        ("a_b", vec!["a_b"]),
        ("c\\d", vec!["c\\d"]),
        ("[e]", vec!["[e]"]),
        ("*", vec!["f*?"]),
        ("?", vec!["f*?"]),
        ("%", vec!["100% jazz", "\\%"]),
        ("_", vec!["\\_", "a_b"]),
        ("\\", vec!["\\%", "\\_", "c\\d"]),
        ("\\%", vec!["\\%"]),
    ] {
        assert_eq!(found(&fixture, contains("title", asked)).await, expected, "titles with {asked}");
    }
}

/// Null and numbers contain no text.
pub async fn contains_matches_texts_only(fixture: Fixture) {
    write(&fixture, five()).await;
    assert!(found(&fixture, contains("price", "3")).await.is_empty());
    assert_eq!(found(&fixture, contains("city", "")).await, ["a", "b", "d", "e"]);
}

/// Nothing that a user enters can change the question.
pub async fn quotes_and_unicode_are_values_like_any_other(fixture: Fixture) {
    let titles = ["'; DROP TABLE rows; --", "O'Brien", "\"quoted\"", "🎟 ticket", "日本語", "$1", ":x"];
    write(&fixture, titles.iter().map(|title| titled(title, title)).collect()).await;
    for title in titles {
        assert_eq!(found(&fixture, equals("title", text(title))).await, [title]);
        assert_eq!(found(&fixture, contains("title", title)).await, [title]);
        let any_of = Filter::AnyOf("title".into(), vec![text(title), text("none")]);
        assert_eq!(found(&fixture, any_of).await, [title]);
    }
    assert_eq!(found(&fixture, contains("title", "本")).await, ["日本語"]);
}

/// Conditions narrow each other, on one column too.
pub async fn all_conditions_of_a_query_must_hold(fixture: Fixture) {
    write(&fixture, five()).await;
    let filters =
        vec![equals("city", text("Bern")), equals("price", Integer(30)), contains("title", "opera")];
    assert_eq!(keys(&fixture, &query(filters)).await, ["a"]);
    let never = vec![equals("city", text("Bern")), equals("city", text("Basel"))];
    assert!(keys(&fixture, &query(never)).await.is_empty());
    assert_eq!(keys(&fixture, &query(vec![])).await, ["a", "b", "c", "d", "e"]);
}

/// By key, byte by byte, in either direction.
pub async fn rows_are_ordered_by_key_without_a_column(fixture: Fixture) {
    let mut expected = ["10", "9", "B", "a", "b", "ä", "🎟"];
    write(&fixture, expected.iter().rev().map(|key| priced(key, 1)).collect()).await;
    assert_eq!(keys(&fixture, &query(vec![])).await, expected);
    expected.reverse();
    let descending = Query { order: Order { column: None, descending: true }, ..query(vec![]) };
    assert_eq!(keys(&fixture, &descending).await, expected);
}

/// Equal rows are ordered by key in the direction of the query.
pub async fn rows_are_ordered_by_a_column_then_by_key(fixture: Fixture) {
    write(&fixture, vec![priced("c", 1), priced("a", 2), priced("b", 1), priced("d", 2), priced("e", 0)])
        .await;
    assert_eq!(keys(&fixture, &ordered_by("price", false)).await, ["e", "b", "c", "a", "d"]);
    assert_eq!(keys(&fixture, &ordered_by("price", true)).await, ["d", "a", "c", "b", "e"]);
}

/// Rows without a value are never left out of an order.
pub async fn null_sorts_first_and_last_when_descending(fixture: Fixture) {
    write(&fixture, five()).await;
    assert_eq!(keys(&fixture, &ordered_by("price", false)).await, ["d", "b", "a", "e", "c"]);
    assert_eq!(keys(&fixture, &ordered_by("price", true)).await, ["c", "e", "a", "b", "d"]);
    assert_eq!(keys(&fixture, &ordered_by("title", false)).await, ["b", "e", "d", "a", "c"]);
    assert_eq!(keys(&fixture, &ordered_by("city", true)).await, ["e", "b", "a", "d", "c"]);
}

/// No language's rules: upper case before lower, accents after both.
pub async fn texts_are_ordered_byte_by_byte(fixture: Fixture) {
    let expected = ["", " ", "A", "Z", "a", "a b", "ab", "z", "Ä", "ä", "日", "🎟"];
    write(&fixture, expected.iter().rev().map(|title| titled(title, title)).collect()).await;
    assert_eq!(keys(&fixture, &ordered_by("title", false)).await, expected);
}

/// Over the whole range.
pub async fn integers_are_ordered_as_numbers(fixture: Fixture) {
    let prices = [i64::MIN, -10, -9, 0, 9, 10, 100, i64::MAX];
    let row = |(n, price): (usize, &i64)| priced(&format!("{}", 9 - n), *price);
    write(&fixture, prices.iter().enumerate().map(row).collect()).await;
    assert_eq!(keys(&fixture, &ordered_by("price", false)).await, ["9", "8", "7", "6", "5", "4", "3", "2"]);
}

/// The pages of an order together are the whole; each tells how many there are.
pub async fn pages_cover_all_rows_once_and_tell_the_total(fixture: Fixture) {
    write(&fixture, (0..25).map(|n| priced(&format!("{n:02}"), n % 4)).collect()).await;
    let whole = keys(&fixture, &ordered_by("price", true)).await;
    for size in [1, 7, 25, 1_000] {
        let mut rows = Vec::new();
        for page in 1..=25_u32.div_ceil(size) {
            let asked = Query { page: PageRequest { page, size }, ..ordered_by("price", true) };
            let (page, position) = ask(&fixture, &asked).await.expect("a page");
            assert_eq!((page.total, position), (25, Position::from(1)));
            assert!(page.items.len() <= size as usize);
            rows.extend(page.items.into_iter().map(|row| row.key));
        }
        assert_eq!(rows, whole, "pages of {size}");
    }
}

/// Asking past the end is no failure.
pub async fn a_page_past_the_end_is_empty_but_tells_the_total(fixture: Fixture) {
    write(&fixture, five()).await;
    for page in [4, 100, u32::MAX] {
        let asked = Query { page: PageRequest { page, size: 2 }, ..query(vec![]) };
        let (page, _) = ask(&fixture, &asked).await.expect("an empty page");
        assert_eq!((page.items.len(), page.total), (0, 5));
    }
}

/// Pages are numbered from 1 and bounded.
pub async fn page_sizes_outside_1_to_1000_are_refused(fixture: Fixture) {
    write(&fixture, five()).await;
    for (page, size) in [(1, 0), (1, 1_001), (1, u32::MAX), (0, 10)] {
        let refused = ask(&fixture, &Query { page: PageRequest { page, size }, ..query(vec![]) }).await;
        assert!(matches!(refused, Err(StoreError::InvalidRequest(_))), "page {page} of {size}: {refused:?}");
    }
}

/// Of the filter, not of the page or the read model.
pub async fn the_total_counts_what_matches(fixture: Fixture) {
    write(&fixture, five()).await;
    let asked = Query { page: PageRequest { page: 2, size: 2 }, ..query(vec![equals("city", text("Bern"))]) };
    let (page, _) = ask(&fixture, &asked).await.expect("a page");
    assert_eq!((page.items.len(), page.total), (1, 3));
}

/// Every filter, on unknown columns and on the key.
pub async fn a_filter_on_a_column_that_is_not_indexed_is_refused(fixture: Fixture) {
    write(&fixture, five()).await;
    for column in ["colour", "", "City", "city; --", "key", "body"] {
        for filter in [
            equals(column, Null),
            Filter::AnyOf(column.into(), vec![]),
            Filter::AtLeast(column.into(), Integer(1)),
            Filter::LessThan(column.into(), Integer(1)),
            contains(column, "x"),
        ] {
            let refused = ask(&fixture, &query(vec![filter.clone()])).await;
            assert!(matches!(refused, Err(StoreError::InvalidRequest(_))), "{filter:?}: {refused:?}");
        }
    }
}

/// The same for an order.
pub async fn an_order_by_a_column_that_is_not_indexed_is_refused(fixture: Fixture) {
    write(&fixture, five()).await;
    for column in ["colour", "", "price desc", "body"] {
        let refused = ask(&fixture, &ordered_by(column, false)).await;
        assert!(matches!(refused, Err(StoreError::InvalidRequest(_))), "{column:?}: {refused:?}");
    }
}

/// Names are compared whole.
pub async fn read_models_with_similar_names_are_apart(fixture: Fixture) {
    write(&fixture, five()).await;
    for name in ["show", "shows_1", "shows_", "s"] {
        let model = named(name, 1);
        fixture.storage.views.prepare(&model).await.expect("a prepared read model");
        let checkpoint = Fixture::checkpoint(name, 1, 1);
        commit(&fixture, ViewBatch { model, changes: vec![priced(name, 1)], checkpoint, fenced_by: None })
            .await;
    }
    commit(&fixture, batch(shows(1), vec![], 2)).await;
    assert_eq!(keys(&fixture, &query(vec![])).await, ["a", "b", "c", "d", "e"]);
    let (page, _) =
        fixture.storage.views.query(&named("shows_", 1), "shows_", &query(vec![])).await.expect("a page");
    assert_eq!(page.items.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["shows_"]);
}
