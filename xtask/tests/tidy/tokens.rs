//! Rust files as token trees, so that a rule also sees inside macro calls and never inside a string.
//!
//! Knows no rule; comments that are not documentation are gone before it starts.

use crate::tree::Source;
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// The tokens between one pair of brackets (or of the whole file), and where that is.
#[derive(Debug, Clone)]
pub(crate) struct Level {
    pub(crate) tokens: Vec<TokenTree>,
    /// The inline modules around it, outermost first.
    pub(crate) modules: Vec<String>,
    /// Inside `quote!`: code that the user's crate will contain, not this one.
    pub(crate) quoted: bool,
}

impl Level {
    /// Inside an inline `mod tests`.
    pub(crate) fn is_test(&self) -> bool {
        self.modules.iter().any(|module| module == "tests" || module == "test")
    }

    pub(crate) fn ident(&self, at: usize) -> Option<&Ident> {
        match self.tokens.get(at)? {
            TokenTree::Ident(ident) => Some(ident),
            TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
        }
    }

    pub(crate) fn is_ident(&self, at: usize, name: &str) -> bool {
        self.ident(at).is_some_and(|ident| ident == name)
    }

    pub(crate) fn is_punct(&self, at: usize, sign: char) -> bool {
        matches!(self.tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
    }

    pub(crate) fn is_path_separator(&self, at: usize) -> bool {
        self.is_punct(at, ':') && self.is_punct(at + 1, ':')
    }

    pub(crate) fn group(&self, at: usize, delimiter: Delimiter) -> Option<&Group> {
        match self.tokens.get(at)? {
            TokenTree::Group(group) if group.delimiter() == delimiter => Some(group),
            TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
        }
    }

    pub(crate) fn line(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(0, |token| token.span().start().line)
    }

    fn inner(&self, at: usize, group: &Group) -> Self {
        let mut modules = self.modules.clone();
        if at >= 2 && self.is_ident(at - 2, "mod") && group.delimiter() == Delimiter::Brace {
            modules.extend(self.ident(at - 1).map(ToString::to_string));
        }
        let quotes = at >= 2 && self.is_punct(at - 1, '!') && self.ident(at - 2).is_some_and(is_quote);
        Self { tokens: group.stream().into_iter().collect(), modules, quoted: self.quoted || quotes }
    }
}

/// Every level of the file, outermost first; none when the file is not Rust (another rule says so).
pub(crate) fn levels(file: &Source) -> Vec<Level> {
    let Ok(stream) = file.text.parse::<TokenStream>() else { return Vec::new() };
    let top = Level { tokens: stream.into_iter().collect(), modules: Vec::new(), quoted: false };
    let mut levels = vec![top];
    let mut next = 0;
    while let Some(level) = levels.get(next).cloned() {
        for (at, token) in level.tokens.iter().enumerate() {
            if let TokenTree::Group(group) = token {
                levels.push(level.inner(at, group));
            }
        }
        next += 1;
    }
    levels
}

fn is_quote(name: &Ident) -> bool {
    ["quote", "quote_spanned", "parse_quote", "parse_quote_spanned"].iter().any(|quote| name == quote)
}

#[test]
fn sample_levels() {
    let text = "mod tests { fn a() { quote! { b(c) } } }";
    let levels = levels(&Source::new("a.rs", text));
    let with = |name: &str| levels.iter().find(|level| (0..9).any(|at| level.is_ident(at, name))).unwrap();
    assert!(!with("tests").is_test());
    assert!(with("a").is_test() && !with("a").quoted);
    assert!(with("b").quoted && with("c").quoted);
}
