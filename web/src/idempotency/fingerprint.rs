//! A digest of what a request asks, to tell a repeat from another request under the same key, and the moment when it was
//! asked first.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 of the query and the body. JSON counts by its value: neither white space nor the order of fields makes
/// another request.
pub(crate) fn fingerprint(query: Option<&str>, body: &[u8]) -> Bytes {
    let mut digest = Sha256::new();
    text(&mut digest, b'q', query.unwrap_or_default().as_bytes());
    match serde_json::from_slice::<Value>(body) {
        Ok(json) => value(&mut digest, &json),
        Err(_) => text(&mut digest, b'r', body),
    }
    Bytes::copy_from_slice(&digest.finalize())
}

/// What is kept with the key: the digest, then the moment of the first request in microseconds.
pub(crate) fn stamped(digest: &[u8], moment: Timestamp) -> Bytes {
    [digest, &moment.as_microsecond().to_be_bytes()].concat().into()
}

/// When a request with this digest came first, from what was kept with its key; `None` when another was kept.
pub(crate) fn stamp_in(kept: &[u8], digest: &[u8]) -> Option<Timestamp> {
    let moment = kept.strip_prefix(digest)?.first_chunk()?;
    Timestamp::from_microsecond(i64::from_be_bytes(*moment)).ok()
}

fn value(digest: &mut Sha256, json: &Value) {
    match json {
        Value::Null => digest.update(b"n"),
        Value::Bool(true) => digest.update(b"t"),
        Value::Bool(false) => digest.update(b"f"),
        Value::Number(number) => text(digest, b'#', number.to_string().as_bytes()),
        Value::String(string) => text(digest, b's', string.as_bytes()),
        Value::Array(entries) => {
            length(digest, b'a', entries.len());
            for entry in entries {
                value(digest, entry);
            }
        }
        Value::Object(fields) => {
            length(digest, b'o', fields.len());
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            for (name, field) in fields {
                text(digest, b's', name.as_bytes());
                value(digest, field);
            }
        }
    }
}

/// Each part carries its length, so that no two sequences of parts read the same.
fn text(digest: &mut Sha256, tag: u8, bytes: &[u8]) {
    length(digest, tag, bytes.len());
    digest.update(bytes);
}

fn length(digest: &mut Sha256, tag: u8, length: usize) {
    digest.update([tag]);
    digest.update((length as u64).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_meaning_of_the_body_counts() {
        let of = |body: &str| fingerprint(None, body.as_bytes());
        assert_eq!(
            of(r#"{"a":1,"b":[2,{"c":null,"d":"x"}]}"#),
            of(r#" {"b": [2, {"d":"x","c":null}], "a": 1}"#)
        );
        assert_ne!(of(r#"{"a":1}"#), of(r#"{"a":2}"#));
        assert_ne!(of(r#"["ab","c"]"#), of(r#"["a","bc"]"#));
        assert_ne!(of(r#"{"a":"1"}"#), of(r#"{"a":1}"#));
        assert_ne!(of("not json"), of("not  json"));
        assert_ne!(fingerprint(Some("a=1"), b""), fingerprint(None, b""));
    }

    #[test]
    fn the_moment_is_found_again_whatever_follows_it() {
        let (one, two) = (fingerprint(None, b"1"), fingerprint(None, b"2"));
        let moment = Timestamp::constant(1_800_000_000, 123_456_000);
        let kept = [&stamped(&one, moment)[..], b"more"].concat();
        assert_eq!(stamp_in(&kept, &one), Some(moment));
        assert_eq!(stamp_in(&kept, &two), None);
        assert_eq!(stamp_in(&one, &one), None);
    }
}
