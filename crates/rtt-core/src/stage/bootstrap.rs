//! Stage 00: the `.rtt/` tree, a signing key pair, starter files.
