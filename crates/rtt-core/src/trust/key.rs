//! Ed25519 keys in the files that OpenSSL reads and writes: PKCS#8 (RFC 8410) and SPKI, in PEM.

use std::fmt;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePublicKey as _, KeypairBytes};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::digest::Digest;

/// Names a signer: the first 16 hex digits of the SHA-256 of its raw public key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// Takes 16 lower-case hex digits; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 16 && text.bytes().all(is_hex)).then(|| Self(text.to_owned()))
    }

    /// Returns the digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not an Ed25519 key of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Not a private key.
    #[error("expected an Ed25519 private key in PEM form (PKCS#8, `-----BEGIN PRIVATE KEY-----`)")]
    Private,
    /// Not a public key.
    #[error("expected an Ed25519 public key in PEM form (SPKI, `-----BEGIN PUBLIC KEY-----`)")]
    Public,
    /// A point of small order, under which signatures prove nothing.
    #[error("the public key is weak: it has a small order, and anybody could sign for it")]
    Weak,
}

/// A signing key. Its memory is cleared when dropped, and it has no `Debug` or `Display` that shows it.
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// Makes a new key from the operating system's random numbers.
    ///
    /// # Errors
    /// If the operating system gives none.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// Reads PKCS#8 PEM text, as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// [`InvalidKey::Private`].
    pub fn from_pem(text: &str) -> Result<Self, InvalidKey> {
        SigningKey::from_pkcs8_pem(text.trim()).map(Self).map_err(|_| InvalidKey::Private)
    }

    /// Returns PKCS#8 PEM text. Version 1, without the public key: OpenSSL 3 refuses version 2.
    pub fn to_pem(&self) -> String {
        use ed25519_dalek::pkcs8::EncodePrivateKey as _;
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        pair.to_pkcs8_pem(LineEnding::LF).expect("32 bytes have a PKCS#8 form").to_string()
    }

    /// Returns the public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// A key that verifies signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads SPKI PEM text.
    ///
    /// # Errors
    /// [`InvalidKey::Public`] or [`InvalidKey::Weak`].
    pub fn from_pem(text: &str) -> Result<Self, InvalidKey> {
        let key = VerifyingKey::from_public_key_pem(text.trim()).map_err(|_| InvalidKey::Public)?;
        if key.is_weak() { Err(InvalidKey::Weak) } else { Ok(Self(key)) }
    }

    /// Returns SPKI PEM text.
    pub fn to_pem(&self) -> String {
        self.0.to_public_key_pem(LineEnding::LF).expect("32 bytes have an SPKI form")
    }

    /// Returns the signer's name.
    pub fn key_id(&self) -> KeyId {
        KeyId(Digest::of_bytes(self.0.as_bytes()).hex()[..16].to_owned())
    }

    /// Tells whether a signature is this key's for a message, by the strict rules that give each signature one spelling.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_their_files_and_verify_only_what_was_signed() {
        let key = PrivateKey::generate().expect("random numbers");
        let again = PrivateKey::from_pem(&key.to_pem()).expect("own file");
        let public = PublicKey::from_pem(&key.public().to_pem()).expect("own file");
        let signature = again.sign(b"message");
        assert!(public.verify(b"message", &signature));
        assert!(!public.verify(b"massage", &signature));
        assert_eq!(public.key_id(), again.public().key_id());
        assert!(KeyId::parse(public.key_id().as_str()).is_some());
    }

    #[test]
    fn refuses_other_texts_without_repeating_them() {
        assert_eq!(PrivateKey::from_pem("secret").err(), Some(InvalidKey::Private));
        assert_eq!(PublicKey::from_pem("-----BEGIN PUBLIC KEY-----").err(), Some(InvalidKey::Public));
        let identity = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----";
        assert_eq!(PublicKey::from_pem(identity).err(), Some(InvalidKey::Weak));
    }

    /// Project Wycheproof's vectors: every verdict as published, malformed and forged signatures among them.
    #[test]
    fn gives_the_published_verdicts() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/ed25519/wycheproof_ed25519_test.json");
        let Ok(text) = std::fs::read_to_string(file) else {
            println!("skipped: {file} is not here");
            return;
        };
        let vectors: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let bytes = |hex: &serde_json::Value| -> Vec<u8> {
            let hex = hex.as_str().expect("a string").as_bytes();
            let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex");
            hex.chunks(2).map(digits).collect()
        };
        let (mut valid, mut invalid) = (0, 0);
        for group in vectors["testGroups"].as_array().expect("a list") {
            let key = PublicKey::from_pem(group["publicKeyPem"].as_str().expect("a string")).expect("a key");
            for test in group["tests"].as_array().expect("a list") {
                // A signature of another length is refused where its text is read.
                let verdict = <[u8; 64]>::try_from(bytes(&test["sig"]))
                    .is_ok_and(|signature| key.verify(&bytes(&test["msg"]), &signature));
                assert_eq!(verdict, test["result"] == "valid", "{test}");
                *(if verdict { &mut valid } else { &mut invalid }) += 1;
            }
        }
        assert_eq!((valid + invalid, vectors["numberOfTests"].as_u64()), (151, Some(151)));
        assert!(valid > 50 && invalid > 50, "{valid} {invalid}");
    }
}
