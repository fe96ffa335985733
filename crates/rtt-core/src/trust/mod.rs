//! Keys, signers and revocation: who may say that a plan is to be applied.
//!
//! Knows no plan; [`crate::plan`] says which bytes are signed.

mod exposure;
mod key;
pub mod keyring;
mod requirements;
pub mod signature;
mod store;

pub use exposure::exposed_keys;
pub use key::{InvalidKey, KeyId, PrivateKey, PublicKey};
pub use requirements::Requirements;
pub use signature::{Refusal, Signature};
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
    /// A file of a new key exists already.
    #[error("{0} exists already")]
    Taken(String),
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    Random(getrandom::Error),
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
            Error::Taken(_) => Self::Usage {
                message: error.to_string(),
                help: Some("choose another name: keys are never overwritten".to_owned()),
            },
            Error::Random(_) => Self::Internal(error.to_string()),
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
