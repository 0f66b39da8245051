//! Variants that carry another aggregate's events: `Inventory(InventoryEvent)`, or with the stream's key
//! `Reservation(ReservationId, ReservationEvent)`. What `Input` and `Events` share.

use crate::{findings::Findings, root::Root};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Field, Fields, Ident, Type, Variant};

/// One such variant.
pub(crate) struct Source<'a> {
    variant: &'a Ident,
    has_key: bool,
    event: &'a Type,
}

impl<'a> Source<'a> {
    /// What to write instead, where the variant has the key and the event in the wrong order.
    ///
    /// A macro knows types by their names only: that of an event ends in `Event`, which `#[derive(Action)]` gives it.
    pub(crate) fn swapped(variant: &Variant) -> Option<String> {
        let Fields::Unnamed(fields) = &variant.fields else { return None };
        let mut fields = fields.unnamed.iter().map(|field| &field.ty);
        let (Some(first), Some(second), None) = (fields.next(), fields.next(), fields.next()) else {
            return None;
        };
        let wrong = is_event(first) && !is_event(second);
        let text = |of_type: &Type| of_type.to_token_stream().to_string();
        wrong.then(|| {
            let (key, event) = (text(second), text(first));
            format!("the key goes before the event: write `{}({key}, {event})`", variant.ident)
        })
    }

    /// Reads the variant; `None` when its fields are neither an event nor a key and an event.
    pub(crate) fn read(variant: &'a Variant) -> Option<Self> {
        let Fields::Unnamed(fields) = &variant.fields else { return None };
        let types: Vec<_> = fields.unnamed.iter().map(|field| &field.ty).collect();
        let (has_key, event) = match types.as_slice() {
            [event] => (false, event),
            [_, event] => (true, event),
            _ => return None,
        };
        Some(Self { variant: &variant.ident, has_key, event })
    }
}

/// Events that two variants claim: the second would never be reached.
pub(crate) fn refuse_repeats(sources: &[Source<'_>], findings: &mut Findings) {
    for (at, source) in sources.iter().enumerate() {
        let text = source.event.to_token_stream().to_string();
        let first = sources[..at].iter().find(|other| other.event.to_token_stream().to_string() == text);
        if let Some(first) = first {
            let text =
                format!("`{}` already takes the events of `{text}`: remove one of the two", first.variant);
            findings.add(source.variant, text);
        }
    }
}

/// The bodies of `categories()` and `event_types()`.
pub(crate) fn lists(sources: &[Source<'_>], root: &Root) -> (TokenStream, TokenStream) {
    let categories = sources.iter().map(|source| category_of(source.event, root));
    let types = sources.iter().map(|Source { event, .. }| quote!(<#event as #root::Event>::TYPES));
    let categories = quote!(::std::vec![#(#categories),*]);
    let types = quote! {{
        let types: &[&[(&'static str, #root::SchemaVersion)]] = &[#(#types),*];
        types.concat()
    }};
    (categories, types)
}

/// Decodes `event` (a `&RecordedEvent`) into the variant of its category.
pub(crate) fn decoding(sources: &[Source<'_>], root: &Root) -> TokenStream {
    let attempts = sources.iter().map(|Source { variant, has_key, event }| {
        let category = category_of(event, root);
        let key = has_key.then(|| quote!(<#event as #root::EventSet>::key(event)?,));
        quote! {
            if category == #category {
                return ::core::result::Result::Ok(Self::#variant(#key <#event as #root::EventSet>::decode(event)?));
            }
        }
    });
    quote! {
        let category = event.stream.category();
        #(#attempts)*
        ::core::result::Result::Err(#root::DecodeError::UnknownType {
            event_type: event.event_type.clone().into_owned(),
            place: #root::EventPlace::of(event),
        })
    }
}

/// Code that looks into every field. An application need not: what it ignores of an input is decoded and kept all the
/// same, and a private enum must not be told that its fields are dead for it.
pub(crate) fn reads<'a>(name: &Ident, variants: impl IntoIterator<Item = &'a Variant>) -> TokenStream {
    let arms = variants.into_iter().map(|variant| {
        let (ident, pattern) = (&variant.ident, pattern(&variant.fields));
        let fields = names(&variant.fields);
        quote!(#name::#ident #pattern => { let _ = (#(#fields,)*); })
    });
    let arms: Vec<_> = arms.collect();
    if arms.is_empty() {
        return TokenStream::new();
    }
    quote! {
        #[allow(clippy::all, clippy::pedantic)]
        const _: fn(&#name) = |input| match input { #(#arms)* };
    }
}

/// The fields as a pattern that is an expression too: `{ a, b }`, `(field_0)` or nothing.
pub(crate) fn pattern(fields: &Fields) -> TokenStream {
    let names = names(fields);
    match fields {
        Fields::Named(_) => quote!({ #(#names),* }),
        Fields::Unnamed(_) => quote!((#(#names),*)),
        Fields::Unit => TokenStream::new(),
    }
}

/// What the fields are bound to.
fn names(fields: &Fields) -> Vec<Ident> {
    let name =
        |(at, field): (usize, &Field)| field.ident.clone().unwrap_or_else(|| format_ident!("field_{at}"));
    fields.iter().enumerate().map(name).collect()
}

/// Whether the name of the type is an event's.
fn is_event(of_type: &Type) -> bool {
    let Type::Path(path) = of_type else { return false };
    path.path.segments.last().is_some_and(|segment| segment.ident.to_string().ends_with("Event"))
}

fn category_of(event: &Type, root: &Root) -> TokenStream {
    quote!(<<#event as #root::Event>::Action as #root::Action>::CATEGORY)
}
