//! The door: what people send becomes a valid spec, or a sentence that names the field. Nothing malformed gets past it.

mod attach;
mod compose;
mod docker;
mod health;
mod image;
mod pattern;
mod spec;
mod value;
mod volume;
mod waits;

pub use compose::pipeline as compose_pipeline;
pub(crate) use docker::mount_driver;
pub use docker::{DockerTerms, docker_terms};
pub use spec::{Door, Draft, Invalid};
pub use value::name as check_name;
