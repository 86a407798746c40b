//! A compose file becomes a pipeline. What is not supported is named, all of it at once, and nothing is ignored.

mod at;
mod line;
mod service;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use self::at::At;
use super::spec::Invalid;
use crate::api::Pipeline;

/// Parses a compose file (YAML, or JSON, which is YAML). `fallback` names the pipeline when the file does not. The
/// services come in the order of the file.
pub fn pipeline(text: &str, fallback: &str) -> Result<Pipeline, Invalid> {
    let file: Value = serde_saphyr::from_str(text)
        .map_err(|error| Invalid::bad("body", format!("the file does not parse: {error}")))?;
    let file = file
        .as_object()
        .ok_or_else(|| Invalid::bad("body", "a compose file is a map with `services`".to_owned()))?;
    let file = At::top(file);
    let mut unsupported = Unsupported::default();
    file.refuse_others(&["version", "name", "services"], &mut unsupported);
    let services = file.inner("services")?.filter(|services| !services.map().is_empty());
    let services = services.ok_or_else(|| Invalid::bad("services", "the file has no services".to_owned()))?;
    let mut containers = Vec::new();
    for name in services.map().keys() {
        let service = services.inner(name)?.ok_or_else(|| bad(&services.path(name), "is a map"))?;
        containers.push(service::submit(name, &service, services.map(), &mut unsupported)?);
    }
    unsupported.refuse()?;
    let name = file.text("name")?.unwrap_or_else(|| fallback.to_owned());
    Ok(Pipeline { name, containers, waitfor_missing: None })
}

/// What the file asks for and pinode does not do.
#[derive(Default)]
struct Unsupported(Vec<String>);

impl Unsupported {
    fn note(&mut self, path: &str) {
        self.0.push(path.to_owned());
    }

    fn refuse(self) -> Result<(), Invalid> {
        let Some(first) = self.0.first() else { return Ok(()) };
        let all = self.0.join(", ");
        Err(Invalid::bad(first, format!("this compose file uses what is not supported: {all}; take it out")))
    }
}

fn bad(path: &str, must: &str) -> Invalid {
    Invalid::bad(path, format!("{path} {must}"))
}

/// The services of a file.
type Services = Map<String, Value>;
