//! `#[derive(Row)]`: the key, the indexed columns and the serde of a read model's row.

use crate::attribute::{read_keys, text};
use crate::naming::listed;
use crate::{findings::Findings, mirror, root::Root};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Ident, Index, LitStr, Type};

pub(crate) fn expand(input: &DeriveInput, root: &Root, findings: &mut Findings) -> TokenStream {
    if findings.refuse_generics(input, "Row") {
        return TokenStream::new();
    }
    let name = &input.ident;
    let Some(fields) = named_fields(input) else {
        findings.add(name, "`Row` is for a struct with named fields: its columns have names");
        return TokenStream::new();
    };
    let (mut key, mut index) = (Vec::new(), Vec::new());
    let mut complained = false;
    let fine = read_keys(&input.attrs, "row", &["key", "index"], findings, |which, meta| {
        let list = text(meta)?;
        let target = if which == "key" { &mut key } else { &mut index };
        *target = fields_named(&list, &fields).inspect_err(|_| complained = true)?;
        Ok(())
    });
    if key.is_empty() && fine && !complained {
        let choice = listed(fields.iter().map(|field| field.unraw().to_string()));
        findings
            .add(name, format!("say which field is the row's key: `#[row(key = \"…\")]`, one of {choice}"));
    }
    let serde = mirror::serde_of(input, root);
    let types = key.iter().filter_map(|field| type_of(input, field));
    let key_type = if let [_] = key.as_slice() { quote!(#(#types)*) } else { quote!((#(#types),*)) };
    let text_of = text_of_key(key.len(), root);
    let key = key_of(&key, root);
    let columns = index.iter().map(|field| field.unraw().to_string());
    let values = index.iter().map(|field| value_of(field, root));
    quote! {
        #serde
        #[automatically_derived]
        impl #root::Row for #name {
            type Key = #key_type;

            fn text_of(key: Self::Key) -> ::std::string::String {
                #text_of
            }

            fn key(&self) -> ::std::string::String {
                #key
            }

            fn indexes() -> &'static [&'static str] {
                &[#(#columns),*]
            }

            fn index_values(&self) -> ::std::vec::Vec<#root::port::IndexValue> {
                ::std::vec![#(#values),*]
            }
        }
    }
}

fn named_fields(input: &DeriveInput) -> Option<Vec<&Ident>> {
    let Data::Struct(data) = &input.data else { return None };
    let Fields::Named(fields) = &data.fields else { return None };
    Some(fields.named.iter().filter_map(|field| field.ident.as_ref()).collect())
}

/// The fields that a list such as `"show, status"` names.
fn fields_named(list: &LitStr, fields: &[&Ident]) -> syn::Result<Vec<Ident>> {
    let mut found: Vec<Ident> = Vec::new();
    for name in list.value().split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let Some(field) = fields.iter().find(|field| field.unraw() == name) else {
            let choice = listed(fields.iter().map(|field| field.unraw().to_string()));
            return Err(syn::Error::new(
                list.span(),
                format!("there is no field `{name}`; the row has {choice}"),
            ));
        };
        if found.iter().any(|other| other == *field) {
            return Err(syn::Error::new(list.span(), format!("`{name}` is named twice: remove one")));
        }
        found.push((*field).clone());
    }
    Ok(found)
}

/// The value of an indexed column; a type that cannot be one is an error at the field.
fn value_of(field: &Ident, root: &Root) -> TokenStream {
    let at = Span::call_site().located_at(field.span());
    quote_spanned!(at=> #root::IndexColumn::to_index(&self.#field))
}

fn type_of<'a>(input: &'a DeriveInput, name: &Ident) -> Option<&'a Type> {
    let Data::Struct(data) = &input.data else { return None };
    data.fields.iter().find(|field| field.ident.as_ref() == Some(name)).map(|field| &field.ty)
}

/// The text of a key that is given, in the form of [`key_of`].
fn text_of_key(fields: usize, root: &Root) -> TokenStream {
    match fields {
        0 => quote!(::std::string::String::new()),
        1 => quote!(::std::string::ToString::to_string(&key)),
        several => {
            let parts = (0..several).map(Index::from);
            quote!(#root::__private::joined(&[#(&key.#parts),*]))
        }
    }
}

/// The text of the key; several fields are joined with `/`.
fn key_of(fields: &[Ident], root: &Root) -> TokenStream {
    match fields {
        [] => quote!(::std::string::String::new()),
        [field] => quote!(::std::string::ToString::to_string(&self.#field)),
        fields => quote!(#root::__private::joined(&[#(&self.#fields),*])),
    }
}
