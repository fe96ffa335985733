//! Keys, signers and revocation: who may say that a plan is to be applied.
//!
//! Knows no plan; [`crate::plan`] says which bytes are signed.

mod exposure;
mod key;
mod store;

pub use exposure::exposed_keys;
pub use key::{InvalidKey, KeyId, PrivateKey, PublicKey};
pub use store::{Revoked, SIGNING_KEY_VARIABLE, TrustStore, signing_key};

use crate::stage;
use crate::workspace::state::StateError;
use crate::workspace::{self, layout};

/// Why keys could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key file cannot be read.
    #[error(transparent)]
    Workspace(#[from] workspace::Error),
    /// A key file or `revoked.json` holds something else.
    #[error(transparent)]
    State(#[from] StateError),
    /// A key is not an Ed25519 key in PEM form.
    #[error("{origin}: {reason}")]
    Key {
        /// The file or variable that holds it.
        origin: String,
        /// What is wrong; never a part of the key.
        reason: InvalidKey,
    },
    /// The file that `--key` names does not exist.
    #[error("the signing key {0} does not exist")]
    NoFile(String),
}

impl From<Error> for stage::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Workspace(error) => error.into(),
            Error::State(error) => error.into(),
            Error::NoFile(path) => Self::Missing {
                what: path,
                help: format!(
                    "give --key an existing file, or run rtt-00-bootstrap, which creates {}",
                    layout::PRIVATE_KEY
                ),
            },
            Error::Key { origin, reason } => {
                let message = format!("{origin}: {reason}");
                let finding = crate::diagnostic::Diagnostic::error("RTT-K001", reason.to_string())
                    .at(crate::diagnostic::Place::file(origin))
                    .help("a key pair of the right kind is made by `openssl genpkey -algorithm ed25519`");
                Self::Invalid { message, diagnostics: vec![finding] }
            }
        }
    }
}
