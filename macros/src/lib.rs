//! The derives of Composable Rust: they write the plumbing, never a decision.
//!
//! Not here: what the generated code calls (that is `core`), and any dependency of the application: generated code
//! reaches serde through the framework, so an application needs none in its own manifest.
//!
//! Use them through `composable_rust::prelude`; every derive is documented where it is defined, below.

mod action;
mod attribute;
mod call;
mod data;
mod events;
mod findings;
mod id;
mod input;
mod label;
mod message;
mod mirror;
mod naming;
mod rejection;
mod root;
mod row;
mod shape;
mod source;
mod state;

use findings::Findings;
use proc_macro::TokenStream;
use root::Root;
use syn::DeriveInput;

/// Splits an enum into its commands and its events.
///
/// Of `CounterAction` it makes `CounterCommand` and `CounterEvent` (each `Debug, Clone, PartialEq` and serde), the
/// conversions into the action, and the implementations of `Action`, `Command` and `Event`. An event's payload is the
/// variant's content alone: an object for named fields, the value itself for one unnamed field, a list for several,
/// `null` for none.
///
/// On the enum `#[action(…)]`, all optional:
/// - `category = "counter"`: the first part of its streams' ids; by default the enum's name without `Action`;
/// - `key = ShowId`: what names a stream within the category; by default `String`;
/// - `decider = Counter`: by default the enum's name without `Action`;
/// - `derive(Eq, Hash)`: more derives for both halves.
///
/// On a variant:
/// - `#[command]` or `#[event]`, one of them always;
/// - `#[event(name = "counter.Added")]`: the stored type; by default `category.Variant`. Set it before a rename;
/// - `#[version(2)]`: the schema version of an event; 1 by default;
/// - `#[upcast(1 => add_currency)]`: an `Upcaster` that brings version 1 to 2; one for every older version;
/// - `#[serde(rename_all = "…")]`, and any serde attribute on its fields.
#[proc_macro_derive(Action, attributes(action, command, event, version, upcast, serde))]
pub fn derive_action(input: TokenStream) -> TokenStream {
    expand(input, action::expand)
}

/// Makes a struct or enum a state that can be saved: serde and `State`.
///
/// `#[state(schema = 2)]` is the version of its shape; raise it when an old snapshot would no longer load or would
/// mean something else. A field marked `#[version]`, of type `StreamVersion`, gives `version()`, `set_version()` and
/// `increment_version()`: the bookkeeping of a reducer that keeps its own events. Serde attributes are honoured.
#[proc_macro_derive(State, attributes(state, version, serde))]
pub fn derive_state(input: TokenStream) -> TokenStream {
    expand(input, state::expand)
}

/// Makes an enum the inputs of a process.
///
/// - an unmarked variant is an event of another aggregate: `Inventory(InventoryEvent)`, or with the key of its stream
///   `Reservation(ReservationId, ReservationEvent)`;
/// - `#[rejected] HoldRefused(Rejected<Inventory>)` hears refusals: without it commands to `Inventory` do not compile;
/// - `#[outcome] Charged(Outcome<ChargeCard>)` hears what came of a call;
/// - `#[timer] HoldEnds`, with or without fields, is one of the process's own timers.
///
/// Of `CheckoutInput` it makes the enum `CheckoutTimer` with the timers.
#[proc_macro_derive(Input, attributes(rejected, outcome, timer, serde))]
pub fn derive_input(input: TokenStream) -> TokenStream {
    expand(input, input::expand)
}

/// Makes an enum a set of several aggregates' events, for a projection: `Show(ShowEvent)`, or with the key of the
/// stream `Reservation(ReservationId, ReservationEvent)`. The key of the set is the whole `StreamId`.
#[proc_macro_derive(Events)]
pub fn derive_events(input: TokenStream) -> TokenStream {
    expand(input, events::expand)
}

/// Makes a struct a row of a read model: serde and `Row`.
///
/// `#[row(key = "section", index = "show, status")]`: the key's field, and the columns that queries may filter and
/// order by. Several key fields (`key = "show, section"`) are joined with `/`, which within one is written `\/`. Every
/// indexed field needs `IndexColumn`, every key field `Display`.
#[proc_macro_derive(Row, attributes(row, serde))]
pub fn derive_row(input: TokenStream) -> TokenStream {
    expand(input, row::expand)
}

/// Makes a struct or enum a refusal: serde, `Display`, `Error` and `Rejection`.
///
/// `#[rejection(code = "seats_unavailable", kind = Conflict, message = "only {available} places are free")]` on the
/// struct or on each variant; `kind` on the enum is the default of its variants. Kinds: `Conflict` (the default),
/// `NotFound`, `Forbidden`, `Gone`, `Invalid`. The code is the name in snake case and the message its words, unless
/// given; a message may use fields by name, unnamed ones by number.
#[proc_macro_derive(Rejection, attributes(rejection, serde))]
pub fn derive_rejection(input: TokenStream) -> TokenStream {
    expand(input, rejection::expand)
}

/// Makes a struct the call of an activity: serde and `ActivityCall`.
///
/// `#[call(answer = ChargeAnswer)]` names what the world answers; `name = "charge_card"` the activity, by default the
/// struct's name in snake case.
#[proc_macro_derive(Call, attributes(call, serde))]
pub fn derive_call(input: TokenStream) -> TokenStream {
    expand(input, call::expand)
}

/// Makes `struct ShowId(Uuid)` or `struct ShowId(String)` an identifier: `Display`, `FromStr`, serde as plain text,
/// `JsonSchema`, `StreamKey`, `IndexColumn` and `as_uuid()` with `From<Uuid>`, or `as_str()`.
///
/// Derive `Debug, Clone, PartialEq` (and `Copy, Eq, Hash` as needed) beside it. A text is an identifier when it may be
/// a stream's key: 1 to 200 bytes without control characters.
#[proc_macro_derive(Id)]
pub fn derive_id(input: TokenStream) -> TokenStream {
    expand(input, id::expand)
}

/// Gives an enum without fields a text for each variant: `as_str()`, `Display`, `FromStr`, serde as that text,
/// `JsonSchema` and `IndexColumn`. The text is the variant's name in snake case, or `#[label("on sale")]`.
#[proc_macro_derive(Label, attributes(label))]
pub fn derive_label(input: TokenStream) -> TokenStream {
    expand(input, label::expand)
}

/// Gives a value type inside events and rows its serde, without serde in the application's manifest. Serde attributes
/// are honoured.
#[proc_macro_derive(Data, attributes(serde))]
pub fn derive_data(input: TokenStream) -> TokenStream {
    expand(input, data::expand)
}

/// Runs one derive: what it could generate comes first, then every finding as an error at the user's own tokens.
fn expand(
    input: TokenStream,
    derive: fn(&DeriveInput, &Root, &mut Findings) -> proc_macro2::TokenStream,
) -> TokenStream {
    let mut findings = Findings::default();
    let mut generated = proc_macro2::TokenStream::new();
    match (syn::parse::<DeriveInput>(input), Root::find()) {
        (Ok(input), Ok(root)) => generated = derive(&input, &root, &mut findings),
        (input, root) => {
            findings.take(input);
            findings.take(root);
        }
    }
    generated.extend(findings.into_tokens());
    generated.into()
}
