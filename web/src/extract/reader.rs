//! Reads a typed value from what a client sent, strictly: serde's own JSON reader takes an array wherever a struct is
//! wanted, ignores what it does not know, and tells faults in the words of Rust.

use super::findings::pointer_in;
use super::stand_in::{Learnt, StandIn, StandIns};
use super::tree::Node;
use super::wrong::{Wrong, is_object, unknown_field};
use crate::FieldError;
use serde::de::value::MapDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use std::cell::RefCell;
use std::marker::PhantomData;

/// Most faults that are told at once: each takes a reading of its own.
const MOST_FAULTS: usize = 20;
/// Of what has more values than this, only the first fault is told.
const LARGEST_READ_AGAIN: usize = 2_000;

/// A value, or all that does not fit; and what nobody knows.
///
/// `is_text` says that numbers are written as text, as in a query.
pub(super) fn read<T: DeserializeOwned>(
    node: &Node,
    is_text: bool,
) -> (Result<T, Vec<FieldError>>, Vec<FieldError>) {
    let mut stand_ins = StandIns::default();
    let (read, mut unknown) = once::<T>(node, is_text, &stand_ins);
    let mut fault = match read {
        Ok(value) => return (Ok(value), unknown),
        Err(fault) => fault,
    };
    let most = if node.size() > LARGEST_READ_AGAIN { 1 } else { MOST_FAULTS };
    let mut faults = Vec::new();
    loop {
        match stand_ins.learn(&fault) {
            Learnt::New => faults.push(fault),
            Learnt::Another => {}
            // The first is told whether or not there is a way on.
            Learnt::Nothing if faults.is_empty() => {
                faults.push(fault);
                break;
            }
            Learnt::Nothing => break,
        }
        if faults.len() == most {
            break;
        }
        let (read, more) = once::<T>(node, is_text, &stand_ins);
        let is_new = |error: &FieldError| unknown.iter().all(|known| known.pointer != error.pointer);
        let more: Vec<_> = more.into_iter().filter(is_new).collect();
        unknown.extend(more);
        match read {
            Err(next) => fault = next,
            Ok(_) => break,
        }
    }
    (Err(faults), unknown)
}

/// Reads it with what stands in; a fault for each member that it does not know.
fn once<T: DeserializeOwned>(
    node: &Node,
    is_text: bool,
    stand_ins: &StandIns,
) -> (Result<T, FieldError>, Vec<FieldError>) {
    let unknown = RefCell::default();
    let reader = Reader { node, at: &Path::Whole, unknown: &unknown, is_text, stand_ins };
    let value = reader.seeded(PhantomData::<T>).map_err(FieldError::from);
    (value, unknown.into_inner())
}

/// One value of the tree, about to be read.
#[derive(Debug, Clone, Copy)]
struct Reader<'de, 'r> {
    node: &'de Node,
    at: &'r Path<'r>,
    unknown: &'r RefCell<Vec<FieldError>>,
    is_text: bool,
    stand_ins: &'de StandIns,
}

/// Where a value is; written out only when something is wrong there.
#[derive(Debug, Clone, Copy)]
enum Path<'p> {
    Whole,
    Member(&'p Path<'p>, &'p str),
    Entry(&'p Path<'p>, usize),
}

impl Path<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Whole => String::new(),
            Self::Member(outer, name) => pointer_in(&outer.pointer(), name),
            Self::Entry(outer, index) => pointer_in(&outer.pointer(), &index.to_string()),
        }
    }
}

impl<'de, 'r> Reader<'de, 'r> {
    /// Reads it; says of an error where it is, unless it knows.
    fn seeded<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        let read = match self.stand_in() {
            Some(stand_in) => seed.deserialize(stand_in),
            None => seed.deserialize(self),
        };
        read.map_err(|wrong| wrong.within(self.node, || self.at.pointer()))
    }

    /// What is read in place of this.
    fn stand_in(self) -> Option<&'de StandIn> {
        if self.stand_ins.is_empty() { None } else { self.stand_ins.at(&self.at.pointer()) }
    }

    /// The members of an object, with what stands in for those that it lacks.
    fn members(self, nodes: &'de [(Node, Node)]) -> Members<'de, 'r> {
        let none = self.stand_ins.is_empty();
        let missing = if none { Vec::new() } else { self.stand_ins.missing_in(&self.at.pointer()) };
        Members { nodes, missing, next: 0, reader: self }
    }

    fn any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.node {
            Node::Null => visitor.visit_unit(),
            Node::Bool(value) => visitor.visit_bool(*value),
            Node::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => float(number.as_f64().unwrap_or(f64::NAN), visitor),
            },
            Node::Text(text) => visitor.visit_borrowed_str(text),
            // Enums with a tag would take their fields in order.
            Node::List(_) if is_object(&(&visitor as &dyn Expected).to_string()) => {
                Err(Wrong::type_instead_of("an object"))
            }
            Node::List(entries) => {
                let mut entries = Entries { nodes: entries, next: 0, reader: self };
                let read = visitor.visit_seq(&mut entries)?;
                let is_done = entries.next == entries.nodes.len();
                if is_done { Ok(read) } else { Err(Wrong::invalid_length(entries.next, &"fewer entries")) }
            }
            Node::Object(members) => visitor.visit_map(self.members(members)),
        }
    }

    /// A number or a truth that may be written as text.
    fn scalar<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let (true, Node::Text(text)) = (self.is_text, self.node) else { return self.any(visitor) };
        if let Ok(number) = text.parse::<u64>() {
            visitor.visit_u64(number)
        } else if let Ok(number) = text.parse::<i64>() {
            visitor.visit_i64(number)
        } else if let Some(number) = text.parse().ok().filter(|number: &f64| number.is_finite()) {
            visitor.visit_f64(number)
        } else if let Ok(truth) = text.parse::<bool>() {
            visitor.visit_bool(truth)
        } else {
            self.any(visitor)
        }
    }
}

/// A number with a point or an exponent; `3.0` and `3e2` are whole numbers to JSON, so they are here.
fn float<'de, V: Visitor<'de>>(number: f64, visitor: V) -> Result<V::Value, Wrong> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() != 0.0 || number.abs() > EXACT {
        visitor.visit_f64(number)
    } else if number < 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
        visitor.visit_i64(number as i64)
    } else {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "as above, and not negative"
        )]
        visitor.visit_u64(number as u64)
    }
}

/// Methods that all do the same.
macro_rules! each {
    ($how:ident: $($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            self.$how(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'de, '_> {
    type Error = Wrong;

    each!(any: deserialize_any deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_unit deserialize_map deserialize_identifier);
    each!(scalar: deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64);

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if *self.node == Node::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let (true, Node::Object(members)) = (self.is_text, self.node) else {
            return self.deserialize_any(visitor);
        };
        // A query as it is: names and values.
        let pairs = members.iter().map(|(name, value)| (name.text(), value.text()));
        MapDeserializer::new(pairs).deserialize_seq(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        if let Node::Object(_) = self.node {
            self.any(visitor)
        } else {
            Err(Wrong::type_instead_of("an object"))
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match self.node {
            Node::Text(_) => visitor.visit_enum(Variant { name: self, content: None }),
            Node::Object(members) => match members.as_slice() {
                [(name, content)] => {
                    let at = Path::Member(self.at, name.text());
                    let content = Some(Reader { node: content, at: &at, ..self });
                    visitor.visit_enum(Variant { name: Reader { node: name, ..self }, content })
                }
                _ => Err(Wrong::no_variant(variants)),
            },
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::List(_) => Err(Wrong::no_variant(variants)),
        }
    }

    /// What nobody asks for.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.unknown.borrow_mut().push(unknown_field(self.at.pointer()));
        visitor.visit_unit()
    }
}

struct Entries<'de, 'r> {
    nodes: &'de [Node],
    next: usize,
    reader: Reader<'de, 'r>,
}

impl<'de> SeqAccess<'de> for &mut Entries<'de, '_> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        let Some(node) = self.nodes.get(self.next) else { return Ok(None) };
        let at = Path::Entry(self.reader.at, self.next);
        self.next += 1;
        Reader { node, at: &at, ..self.reader }.seeded(seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.nodes.len().saturating_sub(self.next))
    }
}

struct Members<'de, 'r> {
    nodes: &'de [(Node, Node)],
    missing: Vec<&'de StandIn>,
    next: usize,
    reader: Reader<'de, 'r>,
}

/// Where nothing was sent.
static NOTHING: Node = Node::Null;

impl<'de> Members<'de, '_> {
    fn member(&self, index: usize) -> Option<(&'de Node, &'de Node)> {
        let sent = self.nodes.get(index).map(|(name, node)| (name, node));
        sent.or_else(|| Some((&self.missing.get(index - self.nodes.len())?.name, &NOTHING)))
    }
}

impl<'de> MapAccess<'de> for Members<'de, '_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        let Some((name, _)) = self.member(self.next) else { return Ok(None) };
        // The names of a map may be numbers, and are texts in JSON.
        let name = Reader { node: name, is_text: true, ..self.reader };
        let read = seed.deserialize(name).map(Some);
        read.map_err(|wrong| wrong.within(name.node, || name.at.pointer()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let Some((name, node)) = self.member(self.next) else {
            return Err(Wrong::custom("there is no further value"));
        };
        self.next += 1;
        let at = Path::Member(self.reader.at, name.text());
        Reader { node, at: &at, ..self.reader }.seeded(seed)
    }
}

/// A variant of an enum: its name, and what it holds.
struct Variant<'de, 'r> {
    name: Reader<'de, 'r>,
    content: Option<Reader<'de, 'r>>,
}

impl<'de, 'r> EnumAccess<'de> for Variant<'de, 'r> {
    type Error = Wrong;
    type Variant = Content<'de, 'r>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Content<'de, 'r>), Wrong> {
        let Self { name, content } = self;
        Ok((name.seeded(seed)?, Content(content)))
    }
}

/// What a variant holds.
struct Content<'de, 'r>(Option<Reader<'de, 'r>>);

impl<'de, 'r> Content<'de, 'r> {
    fn there(self) -> Result<Reader<'de, 'r>, Wrong> {
        self.0.ok_or_else(|| Wrong::type_instead_of("an object with the value under this name"))
    }
}

impl<'de> VariantAccess<'de> for Content<'de, '_> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        self.0.map_or(Ok(()), |content| content.seeded(PhantomData))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        self.there()?.seeded(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.there()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.there()?.deserialize_struct("", fields, visitor)
    }
}
