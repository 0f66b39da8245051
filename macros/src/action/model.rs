//! What the user wrote, checked: every finding is reported here.

use super::stored::Stored;
use crate::attribute::{named, read_keys, text};
use crate::naming::{snake_case, without_suffix};
use crate::source::pattern;
use crate::{findings::Findings, mirror::without_self};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Fields, Ident, LitStr, Path, Token, Type, Variant as Written, Visibility,
};

/// The action as a whole.
pub(super) struct Model<'a> {
    pub(super) vis: &'a Visibility,
    pub(super) name: &'a Ident,
    pub(super) command: Ident,
    pub(super) event: Ident,
    pub(super) category: String,
    pub(super) key: Type,
    pub(super) decider: Type,
    pub(super) derives: Vec<Path>,
    pub(super) variants: Vec<Variant<'a>>,
}

/// Which half a variant belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Command,
    Event,
}

/// One variant.
pub(super) struct Variant<'a> {
    pub(super) ident: &'a Ident,
    pub(super) attributes: &'a [Attribute],
    /// With types that mean the same outside the action.
    pub(super) fields: Fields,
    /// The fields as a pattern and an expression.
    pub(super) pattern: TokenStream,
    pub(super) half: Half,
    /// How it is stored; of use for events only.
    pub(super) stored: Stored,
}

impl<'a> Model<'a> {
    /// Reads the enum; `None` when it is none.
    pub(super) fn read(input: &'a DeriveInput, findings: &mut Findings) -> Option<Self> {
        let name = &input.ident;
        let Data::Enum(data) = &input.data else {
            findings.add(
                name,
                "an action is an enum: its variants are the commands and the events of an aggregate",
            );
            return None;
        };
        let base = without_suffix(&name.unraw().to_string(), "Action").to_owned();
        let decider = Ident::new(&base, name.span());
        let mut model = Self {
            vis: &input.vis,
            name,
            command: format_ident!("{base}Command", span = name.span()),
            event: format_ident!("{base}Event", span = name.span()),
            category: snake_case(&base),
            key: syn::parse_quote!(::std::string::String),
            decider: syn::parse_quote!(#decider),
            derives: Vec::new(),
            variants: Vec::new(),
        };
        model.read_keys(input, findings);
        if let Some(attribute) = named(&input.attrs, "serde").next() {
            findings.add(
                attribute,
                "put serde attributes on fields, or `rename_all` on a variant: only content is stored",
            );
        }
        let category = model.category.clone();
        model.variants =
            data.variants.iter().map(|variant| Variant::read(variant, name, &category, findings)).collect();
        model.refuse_equal_types(findings);
        Some(model)
    }

    fn read_keys(&mut self, input: &DeriveInput, findings: &mut Findings) {
        let known = ["category", "key", "decider", "derive"];
        read_keys(&input.attrs, "action", &known, findings, |key, meta| {
            match key {
                "category" => {
                    let category = text(meta)?;
                    self.category = category.value();
                    check_category(&category)?;
                }
                "key" => self.key = meta.value()?.parse()?,
                "decider" => self.decider = meta.value()?.parse()?,
                _ => {
                    let list;
                    syn::parenthesized!(list in meta.input);
                    self.derives.extend(Punctuated::<Path, Token![,]>::parse_terminated(&list)?);
                }
            }
            Ok(())
        });
    }

    /// Two events of one type could not be told apart when they are read.
    fn refuse_equal_types(&self, findings: &mut Findings) {
        let events: Vec<_> = self.variants.iter().filter(|variant| variant.half == Half::Event).collect();
        for (at, event) in events.iter().enumerate() {
            if let Some(first) = events[..at].iter().find(|other| other.stored.name == event.stored.name) {
                findings.add(
                    event.ident,
                    format!(
                        "`{}` is already stored as {:?}: write `#[event(name = \"…\")]` with another name",
                        first.ident, event.stored.name
                    ),
                );
            }
        }
    }
}

impl<'a> Variant<'a> {
    fn read(written: &'a Written, owner: &Ident, category: &str, findings: &mut Findings) -> Self {
        let ident = &written.ident;
        let half = half_of(written, findings);
        check_serde(written, findings);
        let stored = Stored::read(written, half, category, findings);
        let mut fields = written.fields.clone();
        for field in &mut fields {
            field.ty = Type::Verbatim(without_self(field.ty.to_token_stream(), owner));
        }
        let pattern = pattern(&fields);
        Self { ident, attributes: &written.attrs, fields, pattern, half, stored }
    }
}

/// Which half the variant is marked for. After a finding a guess by the name, so that the finding stays the only error.
fn half_of(written: &Written, findings: &mut Findings) -> Half {
    let command = named(&written.attrs, "command").next();
    let event = named(&written.attrs, "event").next();
    if let Some(attribute) = command
        && attribute.meta.require_path_only().is_err()
    {
        findings.add(attribute, "`#[command]` takes no arguments");
    }
    match (command, event) {
        (Some(_), None) => return Half::Command,
        (None, Some(_)) => return Half::Event,
        (Some(_), Some(event)) => {
            findings.add(event, "a variant is a command or an event: remove `#[command]` or `#[event]`");
        }
        (None, None) => findings.add(
            &written.ident,
            format!(
                "write `#[command]` before `{0}` if it asks for something, `#[event]` if it states what happened",
                written.ident
            ),
        ),
    }
    if written.ident.to_string().ends_with("ed") { Half::Event } else { Half::Command }
}

/// On a variant only `rename_all` means anything: its own name is not part of what is stored.
fn check_serde(written: &Written, findings: &mut Findings) {
    for attribute in named(&written.attrs, "serde") {
        let result = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename_all") {
                return meta.value()?.parse::<LitStr>().map(|_| ());
            }
            Err(meta.error("a variant takes `#[serde(rename_all = \"…\")]` only; name an event with `#[event(name = \"…\")]`"))
        });
        findings.take(result);
    }
}

fn check_category(category: &LitStr) -> syn::Result<()> {
    let text = category.value();
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.');
    if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
        let text = "a category has 1 to 64 characters of a-z, 0-9, '_', '-' and '.', for example \"counter\"";
        return Err(syn::Error::new(category.span(), text));
    }
    Ok(())
}

impl Half {
    /// What the documentation of its enum calls its variants.
    pub(super) const fn plural(self) -> &'static str {
        match self {
            Self::Command => "commands",
            Self::Event => "events",
        }
    }
}
