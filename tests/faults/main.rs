//! The fault kit: stage 50 killed, refused, starved and lied to; afterwards the workspace is in exactly the old or exactly
//! the new state, and what was reported is what is there.
//!
//! Only the real executable is run, so the kit also judges one that was broken on purpose (`mutations/`).
//! `RTT_FAULTS=N` bounds each sweep to N points, `RTT_FAULTS=all` tries every one (`scripts/torture.sh`).

mod agents;
mod crowd;
mod errors;
mod files;
mod kills;
mod museum;
mod scene;
mod storage;
mod store;
mod syscalls;
