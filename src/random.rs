//! The only place that asks the kernel for random bytes.

use std::io;

/// So many.
pub fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(format!("read random bytes: {error}")))?;
    Ok(bytes)
}

/// A number.
pub fn number() -> io::Result<u64> {
    bytes().map(u64::from_le_bytes)
}
