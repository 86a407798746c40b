//! Values whose shape serde's own would take more kindly than it should.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
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

/// A value that is written as a map. serde would take a list of its fields as well, in an order that is nobody's affair.
pub struct AsMap<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for AsMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AsMapVisitor(PhantomData)).map(AsMap)
    }
}

struct AsMapVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AsMapVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// A list of such.
pub(super) fn maps<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Vec::<AsMap<T>>::deserialize(deserializer).map(|all| all.into_iter().map(|AsMap(one)| one).collect())
}

/// One such, or none.
pub(super) fn map<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::<AsMap<T>>::deserialize(deserializer).map(|one| one.map(|AsMap(one)| one))
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
