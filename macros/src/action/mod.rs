//! `#[derive(Action)]`: reads the enum (`model`), writes its halves (`halves`) and how events are stored (`stored`).

mod halves;
mod model;
mod stored;

use crate::{findings::Findings, root::Root};
use model::{Half, Model};
use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

pub(crate) fn expand(input: &DeriveInput, root: &Root, findings: &mut Findings) -> TokenStream {
    if findings.refuse_generics(input, "Action") {
        return TokenStream::new();
    }
    let Some(model) = Model::read(input, findings) else { return TokenStream::new() };
    let halves = halves::of(&model, root);
    let stored = stored::of(&model, root);
    let action = action_of(&model, root);
    quote!(#halves #stored #action)
}

/// The implementation of `Action`.
fn action_of(model: &Model<'_>, root: &Root) -> TokenStream {
    let Model { name, category, key, decider, .. } = model;
    let (command, event) = (&model.command, &model.event);
    let splits = model.variants.iter().map(|variant| {
        let (ident, pattern) = (variant.ident, &variant.pattern);
        let (half, side) = match variant.half {
            Half::Command => (command, quote!(Command)),
            Half::Event => (event, quote!(Event)),
        };
        quote!(Self::#ident #pattern => #root::ActionHalf::#side(#half::#ident #pattern))
    });
    quote! {
        #[automatically_derived]
        impl #root::Action for #name {
            type Command = #command;
            type Event = #event;
            type Key = #key;
            type Decider = #decider;
            const CATEGORY: &'static str = #category;

            fn split(self) -> #root::ActionHalf<#command, #event> {
                match self { #(#splits),* }
            }
        }
    }
}
