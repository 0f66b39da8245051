//! The two enums, and the ways from each into the action.

use super::model::{Half, Model, Variant};
use crate::attribute::carried;
use crate::root::Root;
use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;
use syn::ext::IdentExt;

pub(super) fn of(model: &Model<'_>, root: &Root) -> TokenStream {
    let commands = half(model, &model.command, Half::Command, root);
    let events = half(model, &model.event, Half::Event, root);
    let command = command_of(model, root);
    quote!(#commands #events #command)
}

fn half(model: &Model<'_>, half_name: &Ident, half: Half, root: &Root) -> TokenStream {
    let Model { vis, name, derives, .. } = model;
    let (serde, serde_text) = (root.serde(), root.serde_text());
    let doc = format!("The {} of [`{name}`].", half.plural());
    let own: Vec<_> = model.variants.iter().filter(|variant| variant.half == half).collect();
    let variants = own.iter().map(|variant| definition(variant, name));
    let conversions = own.iter().map(|variant| {
        let (ident, pattern) = (variant.ident, &variant.pattern);
        quote!(#half_name::#ident #pattern => Self::#ident #pattern)
    });
    quote! {
        #[doc = #doc]
        #[derive(Debug, Clone, PartialEq, #serde::Serialize, #serde::Deserialize #(, #derives)*)]
        #[serde(crate = #serde_text)]
        #[allow(clippy::derive_partial_eq_without_eq, clippy::large_enum_variant)]
        #vis enum #half_name { #(#variants),* }

        #[automatically_derived]
        impl ::core::convert::From<#half_name> for #name {
            fn from(half: #half_name) -> Self {
                match half { #(#conversions),* }
            }
        }
    }
}

/// A variant of a half: the user's, with its documentation and serde attributes.
fn definition(variant: &Variant<'_>, action: &Ident) -> TokenStream {
    let ident = variant.ident;
    let attributes = carried(variant.attributes, &format!("See [`{action}::{ident}`]."));
    let mut fields = variant.fields.clone();
    for (at, field) in fields.iter_mut().enumerate() {
        let name = field.ident.as_ref().map_or_else(|| at.to_string(), |name| name.unraw().to_string());
        field.attrs = carried(&field.attrs, &format!("`{name}` of [`{action}::{ident}`]."));
    }
    quote!(#(#attributes)* #ident #fields)
}

/// The implementation of `Command`.
fn command_of(model: &Model<'_>, root: &Root) -> TokenStream {
    let Model { name, command, .. } = model;
    let names = model.variants.iter().filter(|variant| variant.half == Half::Command).map(|variant| {
        let (ident, text) = (variant.ident, variant.ident.unraw().to_string());
        quote!(Self::#ident { .. } => #text)
    });
    quote! {
        #[automatically_derived]
        impl #root::Command for #command {
            type Action = #name;

            fn name(&self) -> &'static str {
                match *self { #(#names),* }
            }
        }
    }
}
