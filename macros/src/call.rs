//! `#[derive(Call)]`: the data of a call to the world.

use crate::attribute::{read_keys, text};
use crate::{findings::Findings, mirror, naming::snake_case, root::Root};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Type};

pub(crate) fn expand(input: &DeriveInput, root: &Root, findings: &mut Findings) -> TokenStream {
    let name = &input.ident;
    if findings.refuse_generics(input, "Call") {
        return TokenStream::new();
    }
    if !matches!(input.data, Data::Struct(_)) {
        findings.add(name, "`Call` is for a struct: one struct for each activity, with its data as fields");
        return TokenStream::new();
    }
    let mut activity = snake_case(&name.unraw().to_string());
    let mut answer: Option<Type> = None;
    let fine = read_keys(&input.attrs, "call", &["name", "answer"], findings, |key, meta| {
        if key == "name" {
            activity = text(meta)?.value();
        } else {
            answer = Some(meta.value()?.parse()?);
        }
        Ok(())
    });
    if answer.is_none() && fine {
        let example = format!("say what the world answers: `#[call(answer = {name}Answer)]`");
        findings.add(name, example);
    }
    let serde = mirror::serde_of(input, root);
    // Without an answer the call itself stands in, so that the finding above stays the only error.
    let answer = answer.unwrap_or_else(|| syn::parse_quote!(#name));
    quote! {
        #serde
        #[automatically_derived]
        impl #root::ActivityCall for #name {
            type Answer = #answer;
            const NAME: &'static str = #activity;
        }
    }
}
