//! Keys, signers, thresholds and revocation.
