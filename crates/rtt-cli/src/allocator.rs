//! The executables' allocator.
#![allow(unsafe_code, reason = "sets an option of a C library")]

use libmimalloc_sys::{mi_option_set, mi_option_t};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of `mimalloc.h`, which the crate does not name.
const PURGE_DELAY: mi_option_t = 15;
/// A large plan takes twenty times as long; a small one is over before it gives much back, which takes time.
const MILLISECONDS: std::ffi::c_long = 25;

/// Gives memory back soon after it is free; else that takes a second, so that work in phases needs what all of them
/// need together. To be called at the start of an executable.
pub fn release_early() {
    // SAFETY: stores a number in the library's table of options; there is no other thread yet that could read it.
    unsafe { mi_option_set(PURGE_DELAY, MILLISECONDS) };
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What the library says about the option, in this process.
    fn delay() -> std::ffi::c_long {
        // SAFETY: reads a number of the library's table of options.
        unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) }
    }

    #[test]
    fn the_option_is_the_one_that_the_environment_calls_purge_delay() {
        if std::env::var_os("MIMALLOC_PURGE_DELAY").is_some() {
            assert_eq!(delay(), 77);
            release_early();
            assert_eq!(delay(), MILLISECONDS);
            return;
        }
        let itself = std::env::current_exe().expect("a running program has a file");
        let only = ["the_option_is_the_one", "--test-threads", "1"];
        let status = Command::new(itself).args(only).env("MIMALLOC_PURGE_DELAY", "77").status();
        assert!(status.expect("it starts").success());
    }
}
