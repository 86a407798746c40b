//! What is submitted, and what is answered to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::value::{self, Memory};

/// A container to be submitted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Submit {
    /// Its name; inside a pipeline the short one. Without one it gets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Image; required.
    pub image: String,
    /// Command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// Program instead of the image's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// `K=V`; entries whose name begins with `waitfor:`, `constraint:` or `affinity:` are those, and so are
    /// `reschedule:on-node-failure` and `reschedule:off`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// As after `waitfor:`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waitfor: Vec<String>,
    /// Labels; `pinode.waitfor` and `com.docker.swarm.{constraints,affinities,reschedule-policies}` hold JSON lists of
    /// what would stand in `env`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "value::unique")]
    pub labels: BTreeMap<String, String>,
    /// Docker `-v` strings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
    /// Driver of named volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_driver: Option<String>,
    /// `none`, `host`, `bridge`, a network, or `container:NAME`, on whose node it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_mode: Option<String>,
    /// Docker `-p` strings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<String>,
    /// Docker `-P`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub publish_all: bool,
    /// Docker `--device` strings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// Working folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// User.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// CPUs, reserved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<f64>,
    /// Bytes, or `64m`; reserved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// On which nodes it may run: `node==NAME`, or a label, `arch==arm64`; `!=` for all others, `==~` and `!=~` for a
    /// preference. A value may be a glob or a `/regex/`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<String>,
    /// What its node must have: `container==NAME`, `image==NAME`, or a container's label, `tier==db`; operators and
    /// values as in `constraints`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub affinities: Vec<String>,
    /// Which of the nodes that fit: `spread` (default, the emptiest), `binpack` (the fullest), `random`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// `never`, `fenced`, `eager`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rerun: Option<String>,
    /// More attempts after a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// Docker's `--restart`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<String>,
    /// `skip`, `hold`, `run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_upstream_failure: Option<String>,
    /// Longest wait, `10m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_timeout: Option<String>,
    /// Longest run of one attempt, `2h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_timeout: Option<String>,
    /// Not built yet; refused by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
    /// Grace between SIGTERM and SIGKILL, `10s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<String>,
    /// Health check.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "value::map")]
    pub health: Option<Health>,
    /// Remove it when it has ended.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub auto_remove: bool,
    /// `wait` (default) or `reject` names in `waitfor` that match nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waitfor_missing: Option<String>,
}

/// A health check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    /// `["CMD", …]`, `["CMD-SHELL", "…"]` or `["NONE"]`.
    pub test: Vec<String>,
    /// Between two checks, `30s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// Longest check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// Failures before `unhealthy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// Grace at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_period: Option<String>,
}

/// Several containers, accepted or refused as one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// Unique.
    pub name: String,
    /// Its members.
    #[serde(deserialize_with = "value::maps")]
    pub containers: Vec<Submit>,
    /// `wait` (default) or `reject`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waitfor_missing: Option<String>,
}

/// One accepted container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// 64 hex digits.
    pub id: String,
    /// Full name.
    pub name: String,
    /// Where it stands.
    pub state: String,
    /// What may not be meant.
    pub warnings: Vec<String>,
}

/// An accepted pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedPipeline {
    /// Its name, which is also its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its members.
    pub containers: Vec<Accepted>,
}
