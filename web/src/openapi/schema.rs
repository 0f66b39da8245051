//! What bodies and parameters look like, as JSON Schema, told by their types.
//!
//! Requests and answers differ: a request is closed, because what it names and nobody knows is refused, and it stands
//! where it is used; an answer may grow, and its parts have names that all operations share.

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Makes the schema of one type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// Makes the schemas of one document.
#[derive(Debug)]
pub(super) struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

/// A member of an object that is written as parameters.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) is_required: bool,
    pub(super) about: Option<Value>,
    pub(super) schema: Value,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12();
        let requests = settings.clone().for_deserialize().with(|settings| settings.inline_subschemas = true);
        let answers = settings.for_serialize().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
        });
        Self { requests: requests.into_generator(), answers: answers.into_generator() }
    }

    pub(super) fn request(&mut self, of: SchemaOf) -> Value {
        let mut schema = of(&mut self.requests);
        listed(&mut schema);
        bounded(&mut schema);
        closed(&mut schema);
        schema.to_value()
    }

    pub(super) fn answer(&mut self, of: SchemaOf) -> Value {
        let mut schema = of(&mut self.answers);
        told(&mut schema);
        schema.to_value()
    }

    /// A value in a path or a query: nobody can write null there.
    pub(super) fn parameter(&mut self, of: SchemaOf) -> Value {
        let mut schema = of(&mut self.requests);
        bounded(&mut schema);
        not_null(&mut schema);
        schema.to_value()
    }

    /// The members of an object, as the parameters of a query.
    pub(super) fn members(&mut self, of: SchemaOf) -> Vec<Member> {
        let object = of(&mut self.requests);
        let required = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let members = object.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        let member = |(name, schema): (String, Value)| {
            let mut schema = Schema::try_from(schema).unwrap_or_default();
            bounded(&mut schema);
            not_null(&mut schema);
            let about = schema.remove("description");
            Member { is_required: required.contains(&json!(name)), name, about, schema: schema.to_value() }
        };
        members.into_iter().map(member).collect()
    }

    /// The named parts of answers.
    pub(super) fn named(&mut self) -> Map<String, Value> {
        let mut named = self.answers.take_definitions(false);
        for schema in named.values_mut().filter_map(|schema| <&mut Schema>::try_from(schema).ok()) {
            told(schema);
        }
        named
    }
}

/// Says the limits of whole numbers, which schemars leaves to the name of their format.
fn bounded(schema: &mut Schema) {
    let limits = match schema.get("format").and_then(Value::as_str) {
        Some("uint32" | "uint") => Some((json!(0), json!(u32::MAX))),
        Some("uint64") => Some((json!(0), json!(u64::MAX))),
        Some("int32") => Some((json!(i32::MIN), json!(i32::MAX))),
        Some("int64") => Some((json!(i64::MIN), json!(i64::MAX))),
        Some(_) | None => None,
    };
    if let (Some((least, most)), Some(object)) = (limits, schema.as_object_mut()) {
        object.entry("minimum").or_insert(least);
        object.entry("maximum").or_insert(most);
    }
    transform_subschemas(&mut bounded, schema);
}

/// Refuses what is not named. Where members come from several schemas, the whole is closed and not its parts.
fn closed(schema: &mut Schema) {
    let is_open = schema.get("additionalProperties").is_none();
    let own = names(schema.get("properties"));
    let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|parts| schema.get(parts)?.as_array());
    let of_parts: Vec<_> = parts.flatten().map(|part| names(part.get("properties"))).collect();
    if own.is_empty() || of_parts.is_empty() {
        let is_object = schema.get("type").is_some_and(|kinds| match kinds {
            Value::Array(kinds) => kinds.iter().any(|kind| kind == "object"),
            Value::String(kind) => kind == "object",
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        });
        if is_object && is_open {
            schema.insert("additionalProperties".to_owned(), false.into());
        }
        transform_subschemas(&mut closed, schema);
        return;
    }
    let is_all = of_parts.iter().flatten().all(|name| own.contains(name));
    let keyword = if is_all { "additionalProperties" } else { "unevaluatedProperties" };
    if is_open {
        schema.insert(keyword.to_owned(), false.into());
    }
    let members = schema.get_mut("properties").and_then(Value::as_object_mut);
    for member in members.into_iter().flat_map(Map::values_mut) {
        if let Ok(member) = <&mut Schema>::try_from(member) {
            closed(member);
        }
    }
}

fn names(members: Option<&Value>) -> BTreeSet<String> {
    members.and_then(Value::as_object).into_iter().flat_map(Map::keys).cloned().collect()
}

/// Of an answer: a member that may be left out is left out, and never null.
fn told(schema: &mut Schema) {
    listed(schema);
    bounded(schema);
    absent(schema);
}

/// Lists the texts of an enum, which schemars tells one by one where they are described.
fn listed(schema: &mut Schema) {
    let parts = schema.get("oneOf").and_then(Value::as_array);
    let texts = parts
        .and_then(|parts| parts.iter().map(|part| part.get("const").cloned()).collect::<Option<Vec<_>>>());
    if let Some(texts) = texts {
        schema.remove("oneOf");
        schema.insert("type".to_owned(), "string".into());
        schema.insert("enum".to_owned(), texts.into());
    }
    transform_subschemas(&mut listed, schema);
}

fn absent(schema: &mut Schema) {
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let members = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, member) in members.into_iter().flatten() {
        if let (false, Ok(member)) = (required.contains(&json!(name)), <&mut Schema>::try_from(member)) {
            not_null(member);
        }
    }
    transform_subschemas(&mut absent, schema);
}

fn not_null(schema: &mut Schema) {
    if let Some(Value::Array(kinds)) = schema.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    let Some(Value::Array(parts)) = schema.get_mut("anyOf") else { return };
    parts.retain(|part| part.get("type") != Some(&json!("null")));
    if let [Value::Object(only)] = parts.as_slice() {
        let only = only.clone();
        schema.remove("anyOf");
        let about = schema.remove("description");
        // What is said at the place of use goes before what the part says of itself.
        for (name, value) in only.into_iter().chain(about.map(|about| ("description".to_owned(), about))) {
            schema.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Part {
        count: u32,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Whole {
        part: Part,
        /// Said here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other: Option<Part>,
        note: Option<String>,
    }

    #[test]
    fn a_request_is_closed_and_its_numbers_have_limits() {
        let schema = Schemas::new().request(SchemaGenerator::subschema_for::<Whole>);
        assert_eq!(schema["additionalProperties"], false);
        let part = &schema["properties"]["part"];
        assert_eq!(part["additionalProperties"], false);
        assert_eq!(part["properties"]["count"]["maximum"], u32::MAX);
        assert_eq!(schema["required"], json!(["part"]));
        assert_eq!(schema["properties"]["note"]["type"], json!(["string", "null"]));
    }

    #[test]
    fn an_answer_is_open_and_leaves_out_what_is_not_there() {
        let mut schemas = Schemas::new();
        let reference = schemas.answer(SchemaGenerator::subschema_for::<Whole>);
        assert_eq!(reference, json!({ "$ref": "#/components/schemas/Whole" }));
        let named = schemas.named();
        let whole = &named["Whole"];
        assert_eq!(whole.get("additionalProperties"), None);
        assert_eq!(whole["required"], json!(["part", "note"]));
        let other = json!({ "$ref": "#/components/schemas/Part", "description": "Said here." });
        assert_eq!(whole["properties"]["other"], other);
        assert_eq!(named["Part"]["properties"]["count"]["maximum"], u32::MAX);
    }

    #[test]
    fn a_query_knows_no_null() {
        let members = Schemas::new().members(SchemaGenerator::subschema_for::<Whole>);
        let note = members.iter().find(|member| member.name == "note").unwrap();
        assert_eq!((&note.schema, note.is_required), (&json!({ "type": "string" }), false));
    }
}
