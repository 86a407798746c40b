//! Small files of text that say so when they are damaged: the last line is a checksum of those before it.

const SUM: &str = "sum=";

/// The text with its last line. Every line of `text` ends with a newline.
pub fn seal(text: &str) -> Vec<u8> {
    format!("{text}{SUM}{:08x}\n", crc32fast::hash(text.as_bytes())).into_bytes()
}

/// The text that was sealed; none if it is damaged. What has no last line of that kind is taken as it is, because earlier
/// versions wrote it so: whoever reads it refuses lines that it does not know, a damaged last line among them.
pub fn unseal(bytes: &[u8]) -> Option<&str> {
    let all = std::str::from_utf8(bytes).ok()?;
    let begin = all.trim_end_matches('\n').rfind('\n').map_or(0, |newline| newline + 1);
    let (text, last) = all.split_at(begin);
    match last.strip_prefix(SUM) {
        Some(_) => (all.as_bytes() == seal(text)).then_some(text),
        None => Some(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "start boot-1\nsignal fence\n";

    #[test]
    fn what_was_sealed_is_read_as_it_was() {
        assert_eq!(unseal(&seal(TEXT)), Some(TEXT));
        assert_eq!(unseal(&seal("")), Some(""));
    }

    #[test]
    fn what_was_never_sealed_is_taken_as_it_is() {
        assert_eq!(unseal(TEXT.as_bytes()), Some(TEXT));
        assert_eq!(unseal(b""), Some(""));
    }

    #[test]
    fn no_flipped_bit_and_no_torn_end_is_taken_for_the_text() {
        let sealed = seal(TEXT);
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(unseal(&flipped), Some(TEXT), "bit {bit}");
        }
        for end in TEXT.len() + 1..sealed.len() {
            assert_ne!(unseal(&sealed[..end]), Some(TEXT), "cut at {end}");
        }
    }
}
