//! Values whose shape serde's own would take more kindly than it should.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Memory as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Memory {
    /// Bytes.
    Bytes(u64),
    /// `64m`.
    Text(String),
}

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Memory, D::Error> {
        deserializer.deserialize_any(MemoryVisitor)
    }
}

/// An untagged enum would only say that nothing matched.
struct MemoryVisitor;

impl Visitor<'_> for MemoryVisitor {
    type Value = Memory;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of bytes, or a size such as \"64m\"")
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<Memory, E> {
        Ok(Memory::Bytes(bytes))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Memory, E> {
        Ok(Memory::Text(text.to_owned()))
    }
}

/// A map that names nothing twice: of two labels with one name, one would be lost without a word.
pub(super) fn unique<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    deserializer.deserialize_map(Unique)
}

struct Unique;

impl<'de> Visitor<'de> for Unique {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut unique = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            if unique.contains_key(&key) {
                return Err(A::Error::custom(format!("`{key}` is there twice")));
            }
            unique.insert(key, value);
        }
        Ok(unique)
    }
}
