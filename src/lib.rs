//! The node: everything with a clock, a socket or a Docker handle. The decisions are in `pinode-scheduler`, the
//! replicated log in `pinode-raft`; this crate carries requests to the log and duties to Docker.

pub mod agent;
pub mod api;
pub mod cli;
pub mod client;
pub mod clock;
pub mod commands;
pub mod config;
#[cfg(test)]
mod damage;
pub mod docker_api;
pub mod driver;
pub mod film;
pub mod guard;
pub mod http;
pub mod liveness;
pub mod members;
pub mod node;
pub mod propose;
pub mod random;
pub mod submit;
pub mod transport;
pub mod web;
