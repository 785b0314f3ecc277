//! Payloads as they are kept: compressed, for as long as they wait.
//!
//! In Snappy's raw format. A payload is kept until it is handled, so that time counts for more than
//! room: of GitHub's examples a quarter is left, in half the time that zstd takes for a fifth.

use std::cell::RefCell;

use bytes::Bytes;

/// Room that is kept for the next payload, in bytes; few need more.
const KEPT_ROOM: usize = 256 * 1024;

thread_local! {
    /// What compressing needs is too large to be made anew for each payload. Beside it the room it
    /// writes to, which is five times what comes out, so that no delivery takes that along.
    static ENCODER: RefCell<(snap::raw::Encoder, Vec<u8>)> =
        RefCell::new((snap::raw::Encoder::new(), Vec::new()));
}

/// Compresses a payload.
///
/// # Errors
/// When it is over 4 GB.
pub fn pack(payload: &[u8]) -> std::io::Result<Bytes> {
    ENCODER.with_borrow_mut(|(encoder, room)| {
        let most = snap::raw::max_compress_len(payload.len());
        if room.len() < most {
            room.resize(most, 0);
        }
        let length = encoder.compress(payload, room)?;
        let packed = Bytes::copy_from_slice(&room[..length]);
        room.truncate(KEPT_ROOM);
        room.shrink_to(KEPT_ROOM);
        Ok(packed)
    })
}

/// The payload that [`pack`] compressed.
///
/// # Errors
/// When these bytes are something else.
pub fn unpack(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    Ok(snap::raw::Decoder::new().decompress_vec(packed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_out_again() {
        let words = r#"{"label":{"url":"https://api.github.com/repos/o/r/labels/bug"}},"#;
        for payload in [
            String::new(),
            "{}".to_owned(),
            words.repeat(9),
            words.repeat(99_999),
        ] {
            let packed = pack(payload.as_bytes()).expect("packs");
            assert_eq!(unpack(&packed).expect("unpacks"), payload.as_bytes());
        }
        let packed = pack(words.repeat(99).as_bytes()).expect("packs");
        assert!(packed.len() < words.len() * 10, "{}", packed.len());
    }

    #[test]
    fn anything_else_is_refused() {
        let packed = pack(b"a payload, a payload, a payload").expect("packs");
        for other in [
            &b""[..],
            b"\xff\xff\xff\xff\xff\xff",
            &packed[..packed.len() - 1],
        ] {
            assert!(unpack(other).is_err(), "{other:?}");
        }
    }
}
