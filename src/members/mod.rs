//! Who is a member: the founding, and everybody who comes later.

mod admission;
mod founding;

pub use admission::{admit, join};
pub use founding::{Found, Founding, FoundingError, first_voters, found, was_founder};
