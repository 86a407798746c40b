//! The door: what people send becomes a valid spec, or a sentence that names the field. Nothing malformed gets past it.

pub(crate) mod attach;
pub(crate) mod beside;
mod compose;
mod docker;
pub(crate) mod expressions;
mod filter;
mod health;
mod image;
mod pattern;
mod spec;
mod value;
mod volume;

pub use compose::pipeline as compose_pipeline;
pub(crate) use docker::mount_driver;
pub use docker::{DockerTerms, docker_terms};
pub use spec::{Door, Draft, Invalid};
pub use value::name as check_name;
