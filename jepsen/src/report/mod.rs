//! What a run leaves behind for people.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `summary` | the lines on standard output |
//! | `store` | the files: `history.json`, to be judged again, and `report.html`, to be looked at |
//! | `page` | the page around the picture: properties, violations, the line that runs it again |
//! | `timeline` | the picture: who ran what and when, and what was done to whom |
//! | `row` | where a bar and its name have room |

mod page;
mod row;
mod store;
mod summary;
mod timeline;

pub use store::{leave, read, write};
pub use summary::{count, last_line, lines};
