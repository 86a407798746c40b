//! What clients ask for while harm is done.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `payload` | the program inside a container, which writes down what happens to it |
//! | `chains` | small chains, fan-ins and failures, drawn from a seed |
//! | `client` | sends them to nodes at random, and notes what it may believe |
//! | `film` | sends a film, and fetches what came of it |

pub mod chains;
pub mod client;
pub mod film;
pub mod payload;
