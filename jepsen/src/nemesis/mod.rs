//! Who does harm, one kind a file. Each says what it did as a fault of the history: done, not tried, or perhaps half
//! done.

pub mod cut;
