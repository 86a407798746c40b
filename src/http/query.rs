//! Query strings. What a route does not know is refused: a filter with a slip in its name would list everything.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// A query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        query.map(|query| Query(query.0)).map_err(|error| bad_query(&error.body_text()))
    }
}

/// axum's sentence ends with `NAME: WHAT IS WRONG`, or with what is wrong and the name between backticks.
fn bad_query(text: &str) -> ApiError {
    let what = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(text);
    let (field, why) = match what.split_once(": ") {
        Some(pair) => pair,
        None => (what.split('`').nth(1).unwrap_or("query"), what),
    };
    ApiError::bad(field, format!("the query is not as expected: {field}: {why}"))
}

/// The query of a route that knows none.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// How fresh a read must be.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consistency {
    consistency: Option<Freshness>,
}

/// The word for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Freshness {
    /// Never older than the question.
    #[default]
    Linearizable,
    /// As this node has it.
    Stale,
}

impl Freshness {
    /// Whether it may be old.
    pub fn is_stale(self) -> bool {
        self == Freshness::Stale
    }
}

impl Consistency {
    /// Whether it may be old.
    pub fn is_stale(&self) -> bool {
        self.consistency.unwrap_or_default().is_stale()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn asked<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
        let (mut parts, ()) = Request::get(format!("/?{query}")).body(()).unwrap().into_parts();
        Query::from_request_parts(&mut parts, &()).await.map(|Query(query)| query)
    }

    #[tokio::test]
    async fn a_name_or_a_word_that_is_not_known_is_named() {
        for (query, field, word) in [
            ("consistncy=stale", "consistncy", "consistency"),
            ("consistency=mostly", "consistency", "mostly"),
            ("consistency=", "consistency", "linearizable"),
            ("consistency=stale&consistency=stale", "consistency", "duplicate"),
        ] {
            let error = asked::<Consistency>(query).await.unwrap_err();
            assert_eq!(error.field.as_deref(), Some(field), "{query}: {error:?}");
            assert!(error.message.contains(word), "{query}: {error:?}");
        }
        assert_eq!(asked::<Nothing>("force=true").await.unwrap_err().field.as_deref(), Some("force"));
    }

    #[tokio::test]
    async fn a_read_is_linearizable_unless_a_stale_one_will_do() {
        assert!(!asked::<Consistency>("").await.unwrap().is_stale());
        assert!(!asked::<Consistency>("consistency=linearizable").await.unwrap().is_stale());
        assert!(asked::<Consistency>("consistency=stale").await.unwrap().is_stale());
    }
}
