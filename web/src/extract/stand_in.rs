//! Values that stand in for what does not fit, so that reading goes on and finds what else does not.
//!
//! Nobody gets such a value: it is only read past. Where none fits, what was found until then is told.

use super::tree::Node;
use super::wrong::Wrong;
use crate::FieldError;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, VariantAccess, Visitor};
use std::collections::BTreeMap;

/// Texts that ids, moments and names are read from.
const TEXTS: [&str; 3] = ["", "00000000-0000-7000-8000-000000000000", "2000-01-01T00:00:00Z"];

/// What stands in, by pointer.
#[derive(Debug, Default)]
pub(super) struct StandIns(BTreeMap<String, StandIn>);

/// What stands in at one place.
#[derive(Debug)]
pub(super) struct StandIn {
    /// What it is called in its object.
    pub(super) name: Node,
    is_missing: bool,
    /// One of the texts that are taken there, where the fault told them.
    hint: Option<String>,
    attempt: usize,
}

impl StandIns {
    /// Goes on after a fault: `true` when it is a new one, and something stands in there from now on.
    pub(super) fn learn(&mut self, fault: &FieldError) -> Learnt {
        let failed = self.0.iter_mut().find(|(at, _)| is_within(&fault.pointer, at));
        if let Some((_, stand_in)) = failed {
            stand_in.attempt += 1;
            return if stand_in.attempt < TEXTS.len() { Learnt::Another } else { Learnt::Nothing };
        }
        // A rule about several members says nothing while one of them is made up.
        if fault.pointer.is_empty() || self.0.keys().any(|at| is_within(at, &fault.pointer)) {
            return Learnt::Nothing;
        }
        let name = fault.pointer.rsplit('/').next().unwrap_or_default();
        let name = Node::Text(name.replace("~1", "/").replace("~0", "~"));
        let listed = fault.detail.split_once("one of: ").map(|(_, listed)| listed);
        let hint = listed.and_then(|listed| listed.split(", ").next()).map(str::to_owned);
        let stand_in = StandIn { name, is_missing: fault.code == "required", hint, attempt: 0 };
        self.0.insert(fault.pointer.clone(), stand_in);
        Learnt::New
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn at(&self, pointer: &str) -> Option<&StandIn> {
        self.0.get(pointer)
    }

    /// The members that an object lacks.
    pub(super) fn missing_in(&self, object: &str) -> Vec<&StandIn> {
        let is_of = |at: &str| at.rsplit_once('/').is_some_and(|(outer, _)| outer == object);
        self.0.iter().filter(|(at, one)| one.is_missing && is_of(at)).map(|(_, one)| one).collect()
    }
}

/// What came of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Learnt {
    /// It is told, and something stands in there.
    New,
    /// What stood in did not fit; another does now.
    Another,
    /// There is no way on.
    Nothing,
}

fn is_within(pointer: &str, outer: &str) -> bool {
    pointer.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl StandIn {
    fn text(&self) -> &str {
        let text = TEXTS.get(self.attempt).copied().unwrap_or_default();
        self.hint.as_deref().unwrap_or(text)
    }
}

macro_rules! stands_in {
    ($($method:ident: $visit:ident($($value:expr)?);)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            visitor.$visit($($value)?)
        })*
    };
}

impl<'de> Deserializer<'de> for &StandIn {
    type Error = Wrong;

    stands_in! {
        deserialize_bool: visit_bool(false);
        deserialize_i8: visit_i8(1);
        deserialize_i16: visit_i16(1);
        deserialize_i32: visit_i32(1);
        deserialize_i64: visit_i64(1);
        deserialize_u8: visit_u8(1);
        deserialize_u16: visit_u16(1);
        deserialize_u32: visit_u32(1);
        deserialize_u64: visit_u64(1);
        deserialize_f32: visit_f32(1.0);
        deserialize_f64: visit_f64(1.0);
        deserialize_char: visit_char(' ');
        deserialize_bytes: visit_bytes(&[]);
        deserialize_byte_buf: visit_bytes(&[]);
        deserialize_option: visit_none();
        deserialize_unit: visit_unit();
        deserialize_ignored_any: visit_unit();
    }

    /// Nobody says what is wanted.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Wrong> {
        Err(Wrong::custom("nothing stands in here"))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str(self.text())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str(self.text())
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_seq(serde::de::value::SeqDeserializer::new(std::iter::empty::<u8>()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_map(Fields { names: &[], of: self })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_map(Fields { names, of: self })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let first = variants.first().ok_or_else(|| Wrong::no_variant(variants))?;
        visitor.visit_enum(First { name: first, of: self })
    }

    serde::forward_to_deserialize_any! { i128 u128 tuple tuple_struct identifier }
}

/// The fields of a struct, each with something that stands in.
struct Fields<'s> {
    names: &'static [&'static str],
    of: &'s StandIn,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        let Some((name, rest)) = self.names.split_first() else { return Ok(None) };
        self.names = rest;
        seed.deserialize(StrDeserializer::<Wrong>::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        seed.deserialize(self.of)
    }
}

/// The first variant of an enum.
struct First<'s> {
    name: &'static str,
    of: &'s StandIn,
}

impl<'de, 's> EnumAccess<'de> for First<'s> {
    type Error = Wrong;
    type Variant = &'s StandIn;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, &'s StandIn), Wrong> {
        Ok((seed.deserialize(StrDeserializer::<Wrong>::new(self.name))?, self.of))
    }
}

impl<'de> VariantAccess<'de> for &StandIn {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        MapAccessDeserializer::new(Fields { names, of: self }).deserialize_any(visitor)
    }
}
