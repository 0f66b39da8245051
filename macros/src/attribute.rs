//! Reading the derives' own attributes: known keys, and a finding that lists them for an unknown one.

use crate::{findings::Findings, naming::listed};
use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitStr};

/// Reads every `#[name(key …, …)]`. `read` gets each known key. False when something was wrong, so that the caller
/// does not also complain about a value that is missing because of it.
pub(crate) fn read_keys(
    attributes: &[Attribute],
    name: &str,
    known: &[&str],
    findings: &mut Findings,
    mut read: impl FnMut(&str, &ParseNestedMeta<'_>) -> syn::Result<()>,
) -> bool {
    let mut fine = true;
    for attribute in named(attributes, name) {
        let result = attribute.parse_nested_meta(|meta| {
            let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            if known.contains(&key.as_str()) {
                return read(&key, &meta);
            }
            Err(meta.error(format!("unknown key: `#[{name}(…)]` takes {}", listed(known))))
        });
        fine &= findings.take(result).is_some();
    }
    fine
}

/// All attributes with this name.
pub(crate) fn named<'a>(attributes: &'a [Attribute], name: &str) -> impl Iterator<Item = &'a Attribute> {
    attributes.iter().filter(move |attribute| attribute.path().is_ident(name))
}

/// The first marker `#[name]`; one with arguments is a finding.
pub(crate) fn marker<'a>(
    attributes: &'a [Attribute],
    name: &str,
    findings: &mut Findings,
) -> Option<&'a Attribute> {
    let marker = named(attributes, name).next()?;
    if marker.meta.require_path_only().is_err() {
        findings.add(marker, format!("`#[{name}]` takes no arguments"));
    }
    Some(marker)
}

/// The text of `key = "text"`.
pub(crate) fn text(meta: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    meta.value()?.parse()
}

/// What generated types take over of the user's: serde attributes and documentation, or a sentence in its place.
pub(crate) fn carried(attributes: &[Attribute], fallback: &str) -> Vec<Attribute> {
    let mut kept: Vec<_> = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc") || attribute.path().is_ident("serde"))
        .cloned()
        .collect();
    if !kept.iter().any(|attribute| attribute.path().is_ident("doc")) {
        kept.insert(0, syn::parse_quote!(#[doc = #fallback]));
    }
    kept
}

/// The serde attributes alone.
pub(crate) fn serde_only(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    named(attributes, "serde")
}
