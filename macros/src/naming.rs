//! From names to words and back.

/// `SeatsUnavailable` as `seats_unavailable`, `HTTPStatus` as `http_status`.
pub(crate) fn snake_case(name: &str) -> String {
    separated(name, '_')
}

/// `SeatsUnavailable` as `seats unavailable`.
pub(crate) fn words(name: &str) -> String {
    separated(name, ' ')
}

/// The name without `suffix`; the whole name when nothing would be left or it ends otherwise.
pub(crate) fn without_suffix<'a>(name: &'a str, suffix: &str) -> &'a str {
    name.strip_suffix(suffix).filter(|rest| !rest.is_empty()).unwrap_or(name)
}

/// Names as a list in a message: `a, b`, or `none`.
pub(crate) fn listed<I: IntoIterator<Item: AsRef<str>>>(names: I) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn separated(name: &str, separator: char) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut text = String::with_capacity(name.len() + 4);
    for (at, character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| characters.get(at));
        let after = characters.get(at + 1);
        let starts_word = character.is_uppercase()
            && before.is_some_and(|before| {
                *before != '_' && (!before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()))
            });
        if starts_word {
            text.push(separator);
        }
        text.push(if *character == '_' { separator } else { character.to_ascii_lowercase() });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_words() {
        assert_eq!(snake_case("SeatsUnavailable"), "seats_unavailable");
        assert_eq!(snake_case("HTTPStatus"), "http_status");
        assert_eq!(snake_case("V2Added"), "v2_added");
        assert_eq!(snake_case("already_so"), "already_so");
        assert_eq!(words("TooLarge"), "too large");
        assert_eq!(without_suffix("CounterAction", "Action"), "Counter");
        assert_eq!(without_suffix("Action", "Action"), "Action");
        assert_eq!(listed(["a", "b"]), "`a`, `b`");
    }
}
