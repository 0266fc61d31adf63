//! Cursors of lists: the key of the last item that was shown, sealed, so that a cursor says nothing of what the caller
//! may not see, and is good for its own list in its own workspace only.

use super::seal::SecretKey;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use sha2::{Digest as _, Sha256};
use shared_types::ids::WorkspaceId;

const NONCE: usize = 24;

/// Seals the cursors of one list in one workspace.
pub struct CursorSeal {
    key: [u8; 32],
    list: Vec<u8>,
}

impl CursorSeal {
    /// The seal of a list.
    pub fn new(key: &SecretKey, workspace: WorkspaceId, list: &str) -> Self {
        Self {
            key: key.derive("cursors"),
            list: [workspace.0.as_bytes().as_slice(), list.as_bytes()].concat(),
        }
    }

    /// The cursor that stands for a place in the list. The same place has the same cursor, so that clients can compare
    /// them: the nonce is made of the place.
    pub fn seal(&self, place: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(&self.list);
        hash.update([0]);
        hash.update(place.as_bytes());
        let hash = hash.finalize();
        let nonce: [u8; NONCE] = hash.first_chunk().copied().unwrap_or_default();
        let payload = Payload { msg: place.as_bytes(), aad: &self.list };
        // Sealing fails only for values beyond 256 GiB.
        let sealed = self.cipher().encrypt(XNonce::from_slice(&nonce), payload).unwrap_or_default();
        URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat())
    }

    /// The place that a cursor stands for; nothing where it isn't one of this list's.
    pub fn open(&self, cursor: &str) -> Option<String> {
        let sealed = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
        let payload = Payload { msg: sealed, aad: &self.list };
        let place = self.cipher().decrypt(XNonce::from_slice(nonce), payload).ok()?;
        String::from_utf8(place).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.key.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_says_nothing_and_opens_only_in_its_list() {
        let key = SecretKey::of_text("one");
        let of = |workspace, list| CursorSeal::new(&key, WorkspaceId(uuid::Uuid::from_u128(workspace)), list);
        let cursor = of(1, "workflows").seal("payroll");
        assert_eq!(of(1, "workflows").open(&cursor).as_deref(), Some("payroll"));
        assert_eq!(of(1, "workflows").seal("payroll"), cursor);
        assert!(!cursor.contains("payroll"));
        for other in [of(2, "workflows"), of(1, "rules")] {
            assert_eq!(other.open(&cursor), None);
        }
        for bad in ["", "nonsense", "payroll", &cursor[1..]] {
            assert_eq!(of(1, "workflows").open(bad), None, "{bad}");
        }
    }
}
