//! Stories of several nodes: founding, joining, leading, and what must not happen.

mod harness;
mod stories;
mod strangers;
mod tunnels;
mod voters;
