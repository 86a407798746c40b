//! From a spec to what the engine is sent.

use std::collections::HashMap;
use std::path::Path;

use bollard::models::{
    ContainerCreateBody, HostConfig, Mount, MountType, RestartPolicy, RestartPolicyNameEnum,
};
use pinode_scheduler::Work;
use sha2::{Digest, Sha256};

use super::runtime::label;
use crate::submit::mount_driver;

/// The volume driver whose volumes are folders of the shared folder.
pub const SHARED_DRIVER: &str = "glusterfs";

/// A spec that does not become a Docker body. The door refuses those; one here means that it changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadBody {
    /// Not the JSON of a create body.
    #[error("the stored create body does not parse: {0}")]
    Json(#[from] serde_json::Error),
    /// A volume's folder could not be made.
    #[error("make the folder {path} of a shared volume: {source}")]
    Folder {
        /// Which.
        path: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// Who launches.
#[derive(Clone, Debug)]
pub(super) struct Launcher {
    pub(super) cluster: String,
    pub(super) node: String,
    pub(super) shared_dir: std::path::PathBuf,
}

/// What an attempt's Docker container is called on its engine.
pub fn docker_name(cluster: &str, engine_name: &str, attempt: u32) -> String {
    of_cluster(cluster, &format!("{engine_name}-{attempt}"))
}

fn of_cluster(cluster: &str, name: &str) -> String {
    let cluster: String = cluster.chars().take(8).collect();
    format!("pinode-{cluster}-{name}")
}

impl Launcher {
    /// The Docker container's name: unique for cluster, container and attempt, and readable in the engine's `docker ps`.
    pub(super) fn docker_name(&self, work: &Work) -> String {
        docker_name(&self.cluster, &work.engine_name, work.claim.attempt)
    }

    /// The spec as submitted, with our labels and environment, the shared volumes as folders, and Docker's own restarts
    /// off: to run again is the cluster's decision.
    pub(super) fn body(&self, work: &Work) -> Result<ContainerCreateBody, BadBody> {
        let mut body: ContainerCreateBody = serde_json::from_str(&work.create)?;
        let labels = body.labels.get_or_insert_with(HashMap::new);
        for (key, value) in self.labels(work) {
            labels.insert(key.to_owned(), value);
        }
        let env = body.env.get_or_insert_with(Vec::new);
        env.push(format!("PINODE_ATTEMPT={}", work.claim.attempt));
        env.push(format!("PINODE_CONTAINER={}", work.name));
        env.push(format!("PINODE_NODE={}", self.node));
        let host = body.host_config.get_or_insert_default();
        host.restart_policy =
            Some(RestartPolicy { name: Some(RestartPolicyNameEnum::NO), maximum_retry_count: None });
        host.auto_remove = Some(false);
        self.name_others(host, work);
        for mount in host.mounts.iter_mut().flatten() {
            if mount_driver(mount) == Some(SHARED_DRIVER) {
                *mount = shared_mount(&self.shared_dir, mount)?;
            }
        }
        if host.volume_driver.as_deref() == Some(SHARED_DRIVER) {
            host.volume_driver = None;
            for bind in host.binds.iter_mut().flatten() {
                *bind = shared_bind(&self.shared_dir, bind)?;
            }
        }
        Ok(body)
    }

    /// Other containers are known to the engine by other names than to people.
    fn name_others(&self, host: &mut HostConfig, work: &Work) {
        let docker = |name: &str| work.beside.get(name).map(|name| of_cluster(&self.cluster, name));
        let first = |text: &mut String| {
            let (name, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            if let Some(docker) = docker(name) {
                *text = format!("{docker}{rest}");
            }
        };
        host.volumes_from.iter_mut().flatten().for_each(first);
        for link in host.links.iter_mut().flatten() {
            // Without an alias it is reached by the name that people know.
            if !link.contains(':') {
                *link = format!("{link}:{link}");
            }
            first(link);
        }
        for mode in [&mut host.network_mode, &mut host.ipc_mode, &mut host.pid_mode].into_iter().flatten() {
            if let Some(docker) = mode.strip_prefix("container:").and_then(docker) {
                *mode = format!("container:{docker}");
            }
        }
    }

    fn labels(&self, work: &Work) -> [(&'static str, String); 7] {
        let spec: String =
            Sha256::digest(&work.create).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        [
            (label::CLUSTER, self.cluster.clone()),
            (label::CONTAINER, work.container.to_string()),
            (label::NAME, work.name.clone()),
            (label::ATTEMPT, work.claim.attempt.to_string()),
            (label::NODE, self.node.clone()),
            (label::SESSION, work.claim.session.number.to_string()),
            (label::SPEC, spec),
        ]
    }
}

/// The folder of a shared volume, made when it is missing.
fn shared_folder(shared: &Path, name: &str) -> Result<String, BadBody> {
    let folder = shared.join(name);
    let path = folder.display().to_string();
    std::fs::create_dir_all(&folder).map_err(|source| BadBody::Folder { path: path.clone(), source })?;
    Ok(path)
}

/// `uploads:/uploads` as `<shared>/uploads:/uploads`; what is a path already stays.
fn shared_bind(shared: &Path, bind: &str) -> Result<String, BadBody> {
    match bind.split_once(':') {
        Some((name, rest)) if !name.starts_with('/') => {
            Ok(format!("{}:{rest}", shared_folder(shared, name)?))
        }
        Some(_) | None => Ok(bind.to_owned()),
    }
}

/// The same for `--mount`.
fn shared_mount(shared: &Path, mount: &Mount) -> Result<Mount, BadBody> {
    let source = shared_folder(shared, mount.source.as_deref().unwrap_or_default())?;
    let (source, typ) = (Some(source), Some(MountType::BIND));
    Ok(Mount { source, typ, volume_options: None, ..mount.clone() })
}
