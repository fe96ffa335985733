//! Atomic application of a verified plan: two-phase commit over a write-ahead log.
