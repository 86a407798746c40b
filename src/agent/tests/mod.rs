//! Stories of one agent on one scripted engine. The clock is paused: minutes of waiting take milliseconds.

mod crash;
mod doubt;
mod engine;
mod fence;
mod launch;
mod node;
mod reset;
mod stop;
