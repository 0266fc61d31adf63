//! The seal on secrets: XChaCha20-Poly1305 under the server's key, bound to where the secret belongs.

use crate::clock;
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use sha2::{Digest, Sha256};
use shared_types::ids::WorkspaceId;

const NONCE: usize = 24;

/// The server's secret key; what is signed and what is sealed each get a key derived from it.
#[derive(Clone)]
pub struct SecretKey([u8; 32]);

/// A secret can't be opened: the key is another one, or it was tampered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret can't be opened with this server's key")]
pub struct CannotOpen;

impl SecretKey {
    /// The key that a text stands for: any text of some length, hashed.
    pub fn of_text(text: &str) -> Self {
        Self(Sha256::digest(text.trim().as_bytes()).into())
    }

    /// A fresh text for a key.
    pub fn fresh_text() -> String {
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, clock::random::<32>())
    }

    /// A key of its own for a purpose.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(purpose.as_bytes());
        hash.finalize().into()
    }

    /// Seals a secret's value.
    pub fn seal(&self, workspace: WorkspaceId, name: &str, value: &str) -> Vec<u8> {
        let nonce = clock::random::<NONCE>();
        let payload = Payload { msg: value.as_bytes(), aad: &bound_to(workspace, name) };
        // Sealing fails only for values beyond 256 GiB.
        let sealed = self.cipher().encrypt(XNonce::from_slice(&nonce), payload).unwrap_or_default();
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens a sealed value.
    pub fn open(&self, workspace: WorkspaceId, name: &str, sealed: &[u8]) -> Result<String, CannotOpen> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or(CannotOpen)?;
        let payload = Payload { msg: sealed, aad: &bound_to(workspace, name) };
        let opened = self.cipher().decrypt(XNonce::from_slice(nonce), payload).map_err(|_| CannotOpen)?;
        String::from_utf8(opened).map_err(|_| CannotOpen)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.derive("secrets").into())
    }
}

fn bound_to(workspace: WorkspaceId, name: &str) -> Vec<u8> {
    [workspace.0.as_bytes().as_slice(), name.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_where_it_belongs_and_under_its_key() {
        let key = SecretKey::of_text("one");
        let workspace = WorkspaceId(uuid::Uuid::from_u128(1));
        let sealed = key.seal(workspace, "token", "s3cret");
        assert!(!sealed.windows(6).any(|window| window == b"s3cret"));
        assert_eq!(key.open(workspace, "token", &sealed).as_deref(), Ok("s3cret"));
        assert_eq!(key.open(workspace, "other", &sealed), Err(CannotOpen));
        assert_eq!(SecretKey::of_text("two").open(workspace, "token", &sealed), Err(CannotOpen));
        assert_eq!(key.open(workspace, "token", b"short"), Err(CannotOpen));
    }
}
