//! What a run leaves behind for people.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `summary` | the lines on standard output |
//! | `store` | the files: `history.json`, to be judged again, and `report.html`, to be looked at |
//! | `index` | the page that leads to those of several scenarios |
//! | `page`, `tables` | the page around the picture: properties, violations, harm, the line that runs it again |
//! | `timeline` | the picture: who ran what and when, and who asked for what |
//! | `harm` | in the picture: what was done to whom |
//! | `scale`, `row` | where a moment is, and where a bar has room |

mod harm;
mod index;
mod page;
mod row;
mod scale;
mod store;
mod summary;
mod tables;
mod timeline;

pub use index::Index;
pub use store::{leave, read, write, write_index};
pub use summary::{Tally, count, lines, scenario_line};
