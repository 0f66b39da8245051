//! Words that have no place in the code: left-overs, silenced lints and tests, waits, unordered selects.
//!
//! What clippy can ban by path is in `clippy.toml`; here is what it cannot see or what `#[expect]` would hide.

use crate::{
    tokens::{Level, levels},
    tree::{self, Finding, Source, report},
};
use proc_macro2::{Delimiter, TokenTree};

const LIBRARIES: [&str; 10] =
    ["core", "macros", "postgres", "projections", "redis", "redpanda", "runtime", "sqlite", "testing", "web"];
const LEFT_OVERS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!")];
const FENCE: &str = concat!("``", "`");

#[test]
fn nothing_is_left_for_later() {
    let advice = "Finish it, or leave it out and open an issue.";
    report(advice, tree::rust().iter().flat_map(left_overs));
}

#[test]
fn no_test_is_skipped() {
    let advice = "A test that does not run proves nothing: repair it or delete it.";
    report(advice, tree::rust().iter().flat_map(|file| on_levels(file, ignored).chain(uncompiled(file))));
}

#[test]
fn no_lint_is_silenced() {
    let advice = "Write `#[expect(lint, reason = \"…\")]`: it says why, and fails once it is not needed.";
    report(advice, tree::rust().iter().flat_map(|file| on_levels(file, allowed)));
}

#[test]
fn nothing_waits_by_sleeping() {
    // On the machine's time, that is: `clock.sleep` goes by the clock port, and takes no time in a simulation.
    let advice = "Wait for the signal, the position or the answer; in a test move the clock.";
    report(advice, tree::rust().iter().flat_map(|file| on_levels(file, sleeps)));
}

#[test]
fn selects_are_biased_in_libraries() {
    let advice = "Start with `biased;` and say the order: an unbiased select differs from run to run.";
    let of_libraries =
        |file: &&Source| LIBRARIES.iter().any(|name| file.path.starts_with(&format!("{name}/")));
    report(advice, tree::rust().iter().filter(of_libraries).flat_map(|file| on_levels(file, unbiased)));
}

/// What stands at a place of a level, if it breaks the rule; the first argument is the file.
type Rule = fn(&Source, &Level, usize) -> Option<&'static str>;

fn on_levels(file: &Source, rule: Rule) -> impl Iterator<Item = Finding> {
    levels(file).into_iter().flat_map(move |level| {
        let found = |at| rule(file, &level, at).map(|what| file.finding(level.line(at), what));
        (0..level.tokens.len()).filter_map(found).collect::<Vec<_>>()
    })
}

fn left_overs(file: &Source) -> Vec<Finding> {
    let hits = file.text.lines().enumerate().flat_map(|(at, line)| {
        LEFT_OVERS.iter().filter(|word| has_word(line, word)).map(move |word| file.finding(at + 1, word))
    });
    hits.collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let after = &line[at + word.len()..];
        !line[..at].ends_with(is_part) && !after.starts_with(is_part)
    })
}

fn uncompiled(file: &Source) -> Vec<Finding> {
    let fence = |line: &str| {
        let text = line.trim_start().strip_prefix("///").or(line.trim_start().strip_prefix("//!"))?;
        text.trim_start().strip_prefix(FENCE).map(|info| info.split(',').any(|word| word.trim() == "ignore"))
    };
    let hits = file.text.lines().enumerate().filter(|(_, line)| fence(line) == Some(true));
    hits.map(|(at, _)| file.finding(at + 1, "an example that is not compiled")).collect()
}

fn ignored(_: &Source, level: &Level, at: usize) -> Option<&'static str> {
    let attribute = attribute(level, at)?;
    attribute.is_ident(0, "ignore").then_some("an ignored test")
}

fn allowed(_: &Source, level: &Level, at: usize) -> Option<&'static str> {
    // Generated code lands where nobody knows whether the lint fires; there `expect` cannot work.
    let attribute = attribute(level, at).filter(|_| !level.quoted)?;
    let is_allow =
        |at| attribute.is_ident(at, "allow") && attribute.group(at + 1, Delimiter::Parenthesis).is_some();
    let conditional =
        attribute.is_ident(0, "cfg_attr") && mentions(attribute.tokens.iter().cloned(), &["allow"]);
    (is_allow(0) || conditional).then_some("a silenced lint")
}

/// The inside of the attribute that starts here.
fn attribute(level: &Level, at: usize) -> Option<Level> {
    let bracket = if level.is_punct(at + 1, '!') { at + 2 } else { at + 1 };
    let group = level.group(bracket, Delimiter::Bracket).filter(|_| level.is_punct(at, '#'))?;
    Some(Level { tokens: group.stream().into_iter().collect(), ..level.clone() })
}

fn sleeps(file: &Source, level: &Level, at: usize) -> Option<&'static str> {
    let thread = level.is_ident(at, "thread");
    let in_a_test = file.is_test() || level.is_test();
    if !(thread || (level.is_ident(at, "time") && in_a_test)) {
        return None;
    }
    let named = || level.tokens.get(at + 3).cloned();
    if level.is_path_separator(at + 1) && mentions(named(), &["sleep", "sleep_until"]) {
        return Some(if thread { "a sleeping thread" } else { "a sleeping test" });
    }
    // Under another name it could sleep unseen.
    let renamed =
        level.is_ident(at + 1, "as") || (level.is_path_separator(at + 1) && renames_itself(level, at + 3));
    renamed.then_some("another name for what sleeps")
}

/// Whether a group of imports begins here that gives the module itself another name.
fn renames_itself(level: &Level, at: usize) -> bool {
    let Some(group) = level.group(at, Delimiter::Brace) else { return false };
    let names = Level { tokens: group.stream().into_iter().collect(), ..level.clone() };
    (0..names.tokens.len()).any(|at| names.is_ident(at, "self") && names.is_ident(at + 1, "as"))
}

fn unbiased(_: &Source, level: &Level, at: usize) -> Option<&'static str> {
    if !(level.is_ident(at, "select") && level.is_punct(at + 1, '!')) {
        return None;
    }
    let Some(TokenTree::Group(arms)) = level.tokens.get(at + 2) else { return None };
    let arms = Level { tokens: arms.stream().into_iter().collect(), ..level.clone() };
    (!(arms.is_ident(0, "biased") && arms.is_punct(1, ';'))).then_some("an unbiased select")
}

/// Whether one of the names occurs, however deep in brackets.
fn mentions(tokens: impl IntoIterator<Item = TokenTree>, names: &[&str]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => names.iter().any(|name| ident == name),
        TokenTree::Group(group) => mentions(group.stream(), names),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

#[test]
fn sample_left_overs() {
    let found = |text: &str| left_overs(&Source::new("a.rs", text)).len();
    assert_eq!(found(concat!("// TO", "DO: later\nlet mas", "TO", "DOn = 1;\n")), 1);
    assert_eq!(found(concat!("fn a() { to", "do!() }\n// FIX", "ME\n")), 2);
    let uncompiled = |text: String| uncompiled(&Source::new("a.rs", &text)).len();
    assert_eq!(uncompiled(format!("/// {FENCE}ignore\n//! {FENCE}rust,ignore\n/// {FENCE}text\n")), 2);
}

#[test]
fn sample_words() {
    let lines = |path: &str, text: &str, rule: Rule| {
        on_levels(&Source::new(path, text), rule).map(|finding| finding.to_string()).collect::<Vec<_>>()
    };
    let source = |text, rule| lines("core/src/a.rs", text, rule).len();
    let test = |text, rule| lines("core/tests/it/a.rs", text, rule).len();

    assert_eq!(
        lines("a.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() {}", ignored),
        ["a.rs:2: an ignored test"]
    );
    assert_eq!(source("fn ignore() { [ignore] }", ignored), 0);

    assert_eq!(source("#![allow(dead_code)] #[allow(x)] fn a() { #[allow(y)] b(); }", allowed), 3);
    assert_eq!(source("#[cfg_attr(test, allow(x))] fn a() {}", allowed), 1);
    assert_eq!(source("#[expect(x, reason = \"y\")] fn allow() { quote! { #[allow(z)] } }", allowed), 0);

    assert_eq!(source("use std::thread::{self, sleep}; fn a() { std::thread::sleep(d) }", sleeps), 2);
    assert_eq!(source("fn a() { tokio::time::sleep(d) }", sleeps), 0);
    assert_eq!(source("mod tests { fn a() { tokio::time::sleep(d) } }", sleeps), 1);
    assert_eq!(test("use tokio::time::{Duration, sleep}; fn a() { time::sleep_until(d) }", sleeps), 2);
    assert_eq!(test("use tokio::time as t; fn a() { t::sleep(d) }", sleeps), 1);
    assert_eq!(
        test("use tokio::{time as t}; use tokio::time::{self as u}; use std::thread as v;", sleeps),
        3
    );
    assert_eq!(test("use std::time::{self, Duration as D}; use std::thread::spawn as start;", sleeps), 0);
    assert_eq!(test("fn a() { \"time::sleep\"; time::timeout(d, f) }", sleeps), 0);

    assert_eq!(source("fn a() { tokio::select! { biased; a = b => {} } }", unbiased), 0);
    assert_eq!(source("fn a() { x! { tokio::select! { a = b => {} } }; select!(c) }", unbiased), 2);
}
