//! How generated code names the framework: through the facade where the application uses it, else through core.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Error, Ident};

/// The path of the crate that the user depends on; interpolates as that path.
pub(crate) struct Root {
    krate: Ident,
}

impl Root {
    /// Looks into the manifest of the crate that is compiled.
    pub(crate) fn find() -> syn::Result<Self> {
        let named = |package: &str, own: &str| {
            crate_name(package).ok().map(|found| match found {
                FoundCrate::Itself => own.to_owned(),
                FoundCrate::Name(name) => name,
            })
        };
        named("composable-rust", "composable_rust")
            .or_else(|| named("composable-rust-core", "composable_rust_core"))
            .map(|name| Self { krate: Ident::new(&name, Span::call_site()) })
            .ok_or_else(|| {
                Error::new(
                    Span::call_site(),
                    "add `composable-rust` to the [dependencies] of this crate's Cargo.toml",
                )
            })
    }

    /// The path of serde.
    pub(crate) fn serde(&self) -> TokenStream {
        quote!(#self::__private::serde)
    }

    /// The path of schemars.
    pub(crate) fn schemars(&self) -> TokenStream {
        quote!(#self::__private::schemars)
    }

    /// The path of serde as serde's own attribute wants it.
    pub(crate) fn serde_text(&self) -> String {
        format!("::{}::__private::serde", self.krate)
    }
}

impl ToTokens for Root {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let krate = &self.krate;
        tokens.extend(quote!(::#krate));
    }
}
