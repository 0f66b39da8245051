//! `#[derive(Data)]`: serde for value types.

use crate::{findings::Findings, mirror, root::Root};
use proc_macro2::TokenStream;
use syn::DeriveInput;

pub(crate) fn expand(input: &DeriveInput, root: &Root, findings: &mut Findings) -> TokenStream {
    if findings.refuse_generics(input, "Data") || findings.refuse_union(input, "Data") {
        return TokenStream::new();
    }
    mirror::serde_of(input, root)
}
