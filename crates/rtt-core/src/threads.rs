//! Work on several threads, which `--jobs` bounds.

/// Frees what is no longer needed, beside the work that goes on: large documents are many small pieces.
pub(crate) fn discard<T: Send + 'static>(value: T) {
    if rayon::current_num_threads() > 1 {
        rayon::spawn(move || drop(value));
    }
}

/// Does two things at the same time; with `--jobs 1`, one after the other in this thread.
pub(crate) fn both<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B + Send) -> (A, B) {
    if rayon::current_num_threads() == 1 { (one(), other()) } else { rayon::join(one, other) }
}
