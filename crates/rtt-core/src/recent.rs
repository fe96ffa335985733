//! What was parsed lately, shared: the same few names stand in a large document many times.

use std::cell::RefCell;

/// How many texts a thread remembers, a power of two.
const SLOTS: usize = 4096;

/// Values by the texts that they were parsed from; a text displaces another that falls into the same slot.
pub(crate) struct Recent<T> {
    slots: RefCell<Vec<Option<T>>>,
}

impl<T: Clone> Recent<T> {
    pub(crate) const fn new() -> Self {
        Self { slots: RefCell::new(Vec::new()) }
    }

    /// Returns the value of a text, parsed unless it was lately; `text_of` is the text of a value.
    pub(crate) fn get<E>(
        &self,
        text: &str,
        text_of: impl Fn(&T) -> &str,
        parse: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let mut slots = self.slots.borrow_mut();
        if slots.is_empty() {
            slots.resize(SLOTS, None);
        }
        let slot = &mut slots[slot(text)];
        match slot {
            Some(known) if text_of(known) == text => Ok(known.clone()),
            _ => {
                let value = parse()?;
                *slot = Some(value.clone());
                Ok(value)
            }
        }
    }
}

/// Spreads texts over the slots. Whoever makes texts fall into one gains nothing: they are parsed each time.
fn slot(text: &str) -> usize {
    let mut hash = text.len() as u64;
    for part in text.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..part.len()].copy_from_slice(part);
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    usize::try_from(hash >> (64 - SLOTS.trailing_zeros())).expect("the hash's highest bits")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn gives_what_parsing_gives() {
        let recent = Recent::<Arc<str>>::new();
        let get =
            |text: &str| recent.get(text, |known| known, || if text.is_empty() { Err(()) } else { Ok(text.into()) });
        for round in 0..2 {
            for index in 0..SLOTS * 2 {
                assert_eq!(&*get(&index.to_string()).expect("not empty"), index.to_string(), "round {round}");
            }
        }
        assert!(Arc::ptr_eq(&get("x").expect("not empty"), &get("x").expect("not empty")));
        assert_eq!((get(""), get("")), (Err(()), Err(())));
    }
}
