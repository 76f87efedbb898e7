//! What sled and the history keep ends in the CRC32C of what is before it.

/// Ends `bytes` with the checksum of all of them.
pub(crate) fn close(bytes: &mut Vec<u8>) {
    let crc = crc32c::crc32c(bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
}

/// Adds `content` and its checksum.
pub(crate) fn push(out: &mut Vec<u8>, content: &[u8]) {
    out.reserve(content.len() + size_of::<u32>());
    out.extend_from_slice(content);
    out.extend_from_slice(&crc32c::crc32c(content).to_le_bytes());
}

/// `content` with its checksum.
pub(crate) fn closed(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    push(&mut out, content);
    out
}

/// The bytes without their checksum; nothing when it does not hold.
pub(crate) fn check(bytes: &[u8]) -> Option<&[u8]> {
    let (content, crc) = bytes.split_last_chunk::<4>()?;
    (crc32c::crc32c(content) == u32::from_le_bytes(*crc)).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_closed_is_given_back_and_a_flipped_bit_is_not() {
        let mut all = closed(b"content");
        assert_eq!(check(&all), Some(&b"content"[..]));
        let mut same = b"content".to_vec();
        close(&mut same);
        assert_eq!(same, all);
        for index in 0..all.len() {
            all[index] ^= 4;
            assert_eq!(check(&all), None);
            all[index] ^= 4;
        }
        assert_eq!(check(b"abc"), None);
    }
}
