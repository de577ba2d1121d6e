use sha2::{Digest as _, Sha256};

/// The first 128 bits of a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest128(pub [u8; 16]);

impl Digest128 {
    /// The first 64 bits, big-endian: what public ids show.
    pub fn short(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0[..8]);
        u64::from_be_bytes(first)
    }
}

/// Digests `parts` under a `domain` label. Each part is preceded by its length, so that no two
/// different lists of parts give the same input.
pub fn digest(domain: &str, parts: &[&[u8]]) -> Digest128 {
    let mut hasher = Sha256::new();
    for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let full = hasher.finalize();
    let mut first = [0; 16];
    first.copy_from_slice(&full[..16]);
    Digest128(first)
}
