//! `#[derive(State)]`: schema, serde and a reducer's own version.

use composable_rust_core::{Data, State, StreamVersion};

#[derive(Debug, Clone, Default, PartialEq, State)]
#[state(schema = 4)]
#[serde(rename_all = "camelCase")]
struct Cart {
    #[version]
    seen_events: StreamVersion,
    #[serde(default)]
    line_items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Data)]
#[serde(transparent)]
struct Item(String);

#[derive(Debug, Clone, Default, PartialEq, State)]
enum Door {
    #[default]
    Open,
    Locked {
        by: String,
        inside: Option<Box<Self>>,
    },
}

#[derive(Debug, Clone, Default, PartialEq, State)]
struct Nothing;

#[test]
fn the_schema_is_1_unless_said_otherwise() {
    assert_eq!((Cart::SCHEMA.get(), Door::SCHEMA.get(), Nothing::SCHEMA.get()), (4, 1, 1));
}

#[test]
fn states_survive_their_encoding_with_their_serde_attributes() {
    let cart = Cart { seen_events: StreamVersion::from(2), line_items: vec![Item("tea".into())] };
    let text = serde_json::to_string(&cart).unwrap();
    assert_eq!(text, r#"{"seenEvents":2,"lineItems":["tea"]}"#);
    assert_eq!(serde_json::from_str::<Cart>(&text).unwrap(), cart);
    assert_eq!(serde_json::from_str::<Cart>(r#"{"seenEvents":0}"#).unwrap(), Cart::default());

    let door = Door::Locked { by: "Ada".into(), inside: Some(Box::new(Door::Open)) };
    let text = serde_json::to_string(&door).unwrap();
    assert_eq!(text, r#"{"Locked":{"by":"Ada","inside":"Open"}}"#);
    assert_eq!(serde_json::from_str::<Door>(&text).unwrap(), door);
    assert_eq!(serde_json::to_string(&Nothing).unwrap(), "null");
}

#[test]
fn a_version_field_counts_events() {
    let mut cart = Cart::default();
    cart.increment_version();
    cart.increment_version();
    assert_eq!(cart.version().get(), 2);
    cart.set_version(StreamVersion::from(7));
    assert_eq!(cart.seen_events.get(), 7);
}
