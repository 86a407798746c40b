//! What is done to whom, and when: one scenario a file, a history each.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `film` | a film is encoded, and one of the nodes that encode it loses its power |
//! | `survivors` | the nodes that are left, watched until they have settled and until everything has ended |

pub mod film;
mod survivors;
