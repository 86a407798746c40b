//! A compose file becomes a pipeline. What is not supported is named, all of it at once, and nothing is ignored.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::spec::Invalid;
use crate::api::{Health, Memory, Pipeline, Submit};

/// Keys of a service that are understood.
const SERVICE: [&str; 19] = [
    "image",
    "command",
    "entrypoint",
    "environment",
    "volumes",
    "depends_on",
    "deploy",
    "restart",
    "user",
    "working_dir",
    "labels",
    "network_mode",
    "healthcheck",
    "ports",
    "devices",
    "stop_grace_period",
    "cpus",
    "mem_limit",
    "container_name",
];

/// Parses a compose file (YAML, or JSON, which is YAML). `fallback` names the pipeline when the file does not.
pub fn pipeline(text: &str, fallback: &str) -> Result<Pipeline, Invalid> {
    let file: Value = serde_saphyr::from_str(text)
        .map_err(|error| Invalid::bad("body", format!("the file does not parse: {error}")))?;
    let file = file
        .as_object()
        .ok_or_else(|| Invalid::bad("body", "a compose file is a map with `services`".to_owned()))?;
    let mut unsupported = Unsupported::default();
    for key in file
        .keys()
        .filter(|key| !matches!(key.as_str(), "version" | "name" | "services") && !key.starts_with("x-"))
    {
        unsupported.note(key);
    }
    let services = file.get("services").and_then(Value::as_object);
    let services = services.filter(|services| !services.is_empty());
    let services = services.ok_or_else(|| Invalid::bad("services", "the file has no services".to_owned()))?;
    let name = file.get("name").and_then(Value::as_str).unwrap_or(fallback);
    let mut containers = Vec::new();
    for (name, service) in services {
        let map = service.as_object().ok_or_else(|| bad(name, "is a map"))?;
        containers.push(Service { name, map }.submit(services, &mut unsupported)?);
    }
    unsupported.refuse()?;
    Ok(Pipeline { name: name.to_owned(), containers, waitfor_missing: None })
}

#[derive(Default)]
struct Unsupported(Vec<String>);

impl Unsupported {
    fn note(&mut self, path: &str) {
        self.0.push(path.to_owned());
    }

    fn refuse(self) -> Result<(), Invalid> {
        if self.0.is_empty() {
            return Ok(());
        }
        let all = self.0.join(", ");
        Err(Invalid::bad(
            &self.0[0].clone(),
            format!("this compose file uses what is not supported: {all}; take it out"),
        ))
    }
}

fn bad(path: &str, must: &str) -> Invalid {
    Invalid::bad(path, format!("{path} {must}"))
}

struct Service<'a> {
    name: &'a str,
    map: &'a Map<String, Value>,
}

impl Service<'_> {
    fn path(&self, key: &str) -> String {
        format!("services.{}.{key}", self.name)
    }

    fn submit(
        &self,
        services: &Map<String, Value>,
        unsupported: &mut Unsupported,
    ) -> Result<Submit, Invalid> {
        for key in self.map.keys().filter(|key| !SERVICE.contains(&key.as_str()) && !key.starts_with("x-")) {
            unsupported.note(&self.path(key));
        }
        let (cpus, memory) = self.resources(unsupported)?;
        Ok(Submit {
            name: Some(self.name.to_owned()),
            image: self
                .text("image")?
                .ok_or_else(|| bad(&self.path("image"), "is missing; builds are not supported"))?,
            cmd: self.words("command")?,
            entrypoint: self.words("entrypoint")?,
            env: self
                .pairs("environment")?
                .into_iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect(),
            waitfor: self.depends_on(services)?,
            labels: self.pairs("labels")?.into_iter().collect(),
            volumes: self.volumes(unsupported)?,
            network_mode: self.text("network_mode")?,
            ports: self.list("ports")?,
            devices: self.list("devices")?,
            working_dir: self.text("working_dir")?,
            user: self.text("user")?,
            cpus,
            memory,
            restart: self.text("restart")?,
            stop_timeout: self.text("stop_grace_period")?,
            health: self.health(unsupported)?,
            ..Submit::default()
        })
    }

    fn text(&self, key: &str) -> Result<Option<String>, Invalid> {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let text = scalar(value).ok_or_else(|| bad(&self.path(key), "is one value"))?;
                plain(&self.path(key), text).map(Some)
            }
        }
    }

    /// A list, or a line that is split as a shell would.
    fn words(&self, key: &str) -> Result<Option<Vec<String>>, Invalid> {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(line)) => {
                let line = plain(&self.path(key), line.clone())?;
                split(&line).map(Some).ok_or_else(|| bad(&self.path(key), "has a quote that is not closed"))
            }
            Some(_) => self.list(key).map(Some),
        }
    }

    fn list(&self, key: &str) -> Result<Vec<String>, Invalid> {
        let Some(value) = self.map.get(key) else { return Ok(Vec::new()) };
        let list = value.as_array().ok_or_else(|| bad(&self.path(key), "is a list"))?;
        let text =
            |value: &Value| scalar(value).ok_or_else(|| bad(&self.path(key), "is a list of plain values"));
        list.iter().map(|value| plain(&self.path(key), text(value)?)).collect()
    }

    /// A map, or a list of `K=V`.
    fn pairs(&self, key: &str) -> Result<BTreeMap<String, String>, Invalid> {
        let path = self.path(key);
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(BTreeMap::new()),
            Some(Value::Object(map)) => {
                let pair = |(key, value): (&String, &Value)| {
                    let value = scalar(value).ok_or_else(|| bad(&path, "is a map of plain values"))?;
                    Ok((key.clone(), plain(&path, value)?))
                };
                map.iter().map(pair).collect()
            }
            Some(_) => {
                let pair = |entry: String| match entry.split_once('=') {
                    // `waitfor:container==a` has its first `=` inside the operator.
                    Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
                    None => Err(bad(
                        &path,
                        &format!("has `{entry}`, whose value would come from your shell; write K=V"),
                    )),
                };
                self.list(key)?.into_iter().map(pair).collect()
            }
        }
    }

    fn depends_on(&self, services: &Map<String, Value>) -> Result<Vec<String>, Invalid> {
        let path = self.path("depends_on");
        let known = |name: &str| {
            let unknown = || bad(&path, &format!("names {name}, which is no service of this file"));
            services.contains_key(name).then_some(()).ok_or_else(unknown)
        };
        match self.map.get("depends_on") {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Object(map)) => {
                let wait = |(name, how): (&String, &Value)| {
                    known(name)?;
                    let condition = how.get("condition").and_then(Value::as_str).unwrap_or("service_started");
                    let kind = match condition {
                        "service_started" => "started",
                        "service_healthy" => "healthy",
                        "service_completed_successfully" => "container",
                        other => {
                            return Err(bad(
                                &path,
                                &format!(
                                    "has the condition {other}; there are service_started, service_healthy, service_completed_successfully"
                                ),
                            ));
                        }
                    };
                    Ok(format!("{kind}=={name}"))
                };
                map.iter().map(wait).collect()
            }
            Some(_) => {
                let wait = |name: String| known(&name).map(|()| format!("started=={name}"));
                self.list("depends_on")?.into_iter().map(wait).collect()
            }
        }
    }

    fn volumes(&self, unsupported: &mut Unsupported) -> Result<Vec<String>, Invalid> {
        let path = self.path("volumes");
        let Some(value) = self.map.get("volumes") else { return Ok(Vec::new()) };
        let list = value.as_array().ok_or_else(|| bad(&path, "is a list"))?;
        let mut volumes = Vec::new();
        for volume in list {
            let Some(long) = volume.as_object() else {
                let short = scalar(volume).ok_or_else(|| bad(&path, "is a list of volumes"))?;
                volumes.push(plain(&path, short)?);
                continue;
            };
            let known = ["type", "source", "target", "read_only"];
            long.keys()
                .filter(|key| !known.contains(&key.as_str()))
                .for_each(|key| unsupported.note(&format!("{path}.{key}")));
            if !matches!(long.get("type").and_then(Value::as_str), Some("volume" | "bind") | None) {
                unsupported.note(&format!("{path}.type"));
            }
            let part = |key: &str| {
                long.get(key).and_then(Value::as_str).ok_or_else(|| bad(&path, &format!("needs a {key}")))
            };
            let options =
                if long.get("read_only").and_then(Value::as_bool).unwrap_or_default() { ":ro" } else { "" };
            volumes.push(format!("{}:{}{options}", part("source")?, part("target")?));
        }
        Ok(volumes)
    }

    fn resources(&self, unsupported: &mut Unsupported) -> Result<(Option<f64>, Option<Memory>), Invalid> {
        let number = |path: &str, value: Option<&Value>| -> Result<Option<f64>, Invalid> {
            let parse = |value: &Value| scalar(value).and_then(|text| text.parse().ok());
            value.map(|value| parse(value).ok_or_else(|| bad(path, "is a number of CPUs"))).transpose()
        };
        let mut cpus = number(&self.path("cpus"), self.map.get("cpus"))?;
        let mut memory = self.text("mem_limit")?.map(Memory::Text);
        let Some(deploy) = self.map.get("deploy") else { return Ok((cpus, memory)) };
        let path = self.path("deploy");
        let deploy = deploy.as_object().ok_or_else(|| bad(&path, "is a map"))?;
        deploy
            .keys()
            .filter(|key| *key != "resources")
            .for_each(|key| unsupported.note(&format!("{path}.{key}")));
        let resources = deploy.get("resources").and_then(Value::as_object);
        for (kind, values) in resources.into_iter().flatten() {
            let path = format!("{path}.resources.{kind}");
            if !matches!(kind.as_str(), "limits" | "reservations") {
                unsupported.note(&path);
                continue;
            }
            let values = values.as_object().ok_or_else(|| bad(&path, "is a map"))?;
            let known = ["cpus", "memory"];
            values
                .keys()
                .filter(|key| !known.contains(&key.as_str()))
                .for_each(|key| unsupported.note(&format!("{path}.{key}")));
            cpus = number(&format!("{path}.cpus"), values.get("cpus"))?.or(cpus);
            memory = values.get("memory").and_then(scalar).map(Memory::Text).or(memory);
        }
        Ok((cpus, memory))
    }

    fn health(&self, unsupported: &mut Unsupported) -> Result<Option<Health>, Invalid> {
        let Some(health) = self.map.get("healthcheck") else { return Ok(None) };
        let path = self.path("healthcheck");
        let health = health.as_object().ok_or_else(|| bad(&path, "is a map"))?;
        let known = ["test", "interval", "timeout", "retries", "start_period", "disable"];
        health
            .keys()
            .filter(|key| !known.contains(&key.as_str()))
            .for_each(|key| unsupported.note(&format!("{path}.{key}")));
        let text = |key: &str| health.get(key).and_then(scalar);
        let test = match health.get("test") {
            Some(Value::String(line)) => vec!["CMD-SHELL".to_owned(), line.clone()],
            Some(Value::Array(words)) => words.iter().filter_map(scalar).collect(),
            Some(_) | None => Vec::new(),
        };
        let disabled = health.get("disable").and_then(Value::as_bool).unwrap_or_default();
        Ok(Some(Health {
            test: if disabled { vec!["NONE".to_owned()] } else { test },
            interval: text("interval"),
            timeout: text("timeout"),
            retries: text("retries").and_then(|retries| retries.parse().ok()),
            start_period: text("start_period"),
        }))
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// `${VAR}` would come from the shell of who submits, which a node does not see. `$$` is a dollar.
fn plain(path: &str, text: String) -> Result<String, Invalid> {
    let escaped = text.replace("$$", "\u{0}");
    let variable = escaped.split('$').nth(1).and_then(|after| after.chars().next());
    if variable.is_some_and(|c| c == '{' || c == '_' || c.is_ascii_alphabetic()) {
        return Err(bad(
            path,
            &format!(
                "has a variable in `{text}`; variables are not supported, write the value (or $$ for a dollar)"
            ),
        ));
    }
    Ok(escaped.replace('\u{0}', "$"))
}

/// Splits as a shell does: spaces, both quotes, backslash. None if a quote stays open.
fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), c) if c == open => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(chars.next()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        pipeline(text, "film").unwrap_err().message
    }

    #[test]
    fn depends_on_becomes_waits() {
        let text = "
services:
  db: {image: db}
  job: {image: job, command: sh -c 'echo \"a b\"', depends_on: [db]}
  end:
    image: end
    depends_on:
      job: {condition: service_completed_successfully}
      db: {condition: service_healthy}
";
        let pipeline = pipeline(text, "film").unwrap();
        let by_name =
            |name: &str| pipeline.containers.iter().find(|c| c.name.as_deref() == Some(name)).unwrap();
        assert_eq!(by_name("job").waitfor, ["started==db"]);
        assert_eq!(by_name("job").cmd.as_deref().unwrap(), ["sh", "-c", "echo \"a b\""]);
        let mut waits = by_name("end").waitfor.clone();
        waits.sort();
        assert_eq!(waits, ["container==job", "healthy==db"]);
    }

    #[test]
    fn all_that_is_not_supported_is_named_at_once() {
        let text = "
networks: {a: {}}
services:
  a:
    image: a
    build: .
    deploy: {replicas: 3, resources: {limits: {cpus: '0.5', memory: 64M, pids: 3}}}
";
        let refusal = refusal(text);
        for path in [
            "networks",
            "services.a.build",
            "services.a.deploy.replicas",
            "services.a.deploy.resources.limits.pids",
        ] {
            assert!(refusal.contains(path), "{path}: {refusal}");
        }
    }

    #[test]
    fn resources_are_read_from_either_place() {
        let text = "{services: {a: {image: a, deploy: {resources: {limits: {cpus: '0.5', memory: 64M}}}}}}";
        let submit = &pipeline(text, "film").unwrap().containers[0];
        assert_eq!((submit.cpus, submit.memory.clone()), (Some(0.5), Some(Memory::Text("64M".to_owned()))));
    }

    #[test]
    fn variables_and_shell_values_are_refused_and_double_dollars_are_dollars() {
        assert!(refusal("{services: {a: {image: 'a:${TAG}'}}}").contains("variables are not supported"));
        assert!(refusal("{services: {a: {image: a, environment: [HOME]}}}").contains("write K=V"));
        let text = "{services: {a: {image: a, command: ['echo', '$$HOME']}}}";
        assert_eq!(pipeline(text, "film").unwrap().containers[0].cmd.as_deref().unwrap(), ["echo", "$HOME"]);
    }

    #[test]
    fn what_is_no_compose_file_is_refused() {
        for (text, says) in [
            ("- a", "map with `services`"),
            ("{}", "no services"),
            ("services: [", "does not parse"),
            ("{services: {a: {}}}", "image is missing"),
            ("{services: {a: {image: a, depends_on: [b]}}}", "no service of this file"),
            ("{services: {a: {image: a, depends_on: {a: {condition: maybe}}}}}", "condition maybe"),
            ("{services: {a: {image: a, command: \"echo 'open\"}}}", "not closed"),
        ] {
            assert!(refusal(text).contains(says), "{text}: {}", refusal(text));
        }
    }
}
