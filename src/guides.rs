//! The guides, compiled and run with the tests. Nothing here is in the library.

#[doc = include_str!("../docs/guides/getting-started.md")]
mod getting_started {}
#[doc = include_str!("../docs/guides/commands.md")]
mod commands {}
#[doc = include_str!("../docs/guides/projections.md")]
mod projections {}
#[doc = include_str!("../docs/guides/processes.md")]
mod processes {}
#[doc = include_str!("../docs/guides/http.md")]
mod http {}
#[doc = include_str!("../docs/guides/testing.md")]
mod testing {}
#[doc = include_str!("../docs/guides/operating.md")]
mod operating {}
#[doc = include_str!("../docs/guides/versioning.md")]
mod versioning {}
#[doc = include_str!("../docs/guides/adding-a-field.md")]
mod adding_a_field {}
#[doc = include_str!("../docs/guides/stores.md")]
mod stores {}
#[doc = include_str!("../docs/guides/composition.md")]
mod composition {}
#[doc = include_str!("../docs/guides/keys.md")]
mod keys {}
#[doc = include_str!("../docs/guides/adapters.md")]
mod adapters {}
