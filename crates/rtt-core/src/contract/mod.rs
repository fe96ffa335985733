//! JSON Schema containment: may what one side sends always be accepted by the other?
//!
//! [`contained`] answers for two schemas, [`satisfies`] for a provider's interface and a consumer's requirement. Knows
//! no files and no agents besides their interfaces.
//!
//! Three answers: *yes* is proved keyword by keyword, *no* comes with a value that the validators themselves tell apart,
//! and everything else is *unknown*, with what the proof stumbled over.

mod contain;
mod document;
mod shape;
mod terms;
mod witness;

pub use terms::{Mismatch, Term, satisfies};

use std::cell::Cell;

use serde_json::Value;

/// How much work one question may cost; far beyond what contracts written by people need.
const BUDGET: u32 = 20_000;

/// Whether all values of one schema are valid under another.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// All are.
    Yes,
    /// At least one is not.
    No {
        /// Where and why it is refused: a JSON pointer into the value, and what is wrong there.
        reason: String,
        /// The value.
        witness: Value,
    },
    /// It could not be shown either way.
    Unknown {
        /// What was in the way.
        reason: String,
    },
}

/// Tells whether every value that is valid under `given` is also valid under `wanted`.
///
/// Both are JSON Schemas, by default of the 2020-12 dialect; `format` counts as an annotation; references lead to
/// places in the same schema.
pub fn contained(given: &Value, wanted: &Value) -> Answer {
    let unknown = |reason: String| Answer::Unknown { reason };
    if *wanted == Value::Bool(true) || given == wanted {
        return Answer::Yes;
    }
    // The proof and the search each have a budget of their own, so that a hard proof still leaves room for a refutation.
    let (proof_budget, search_budget) = (Cell::new(BUDGET), Cell::new(BUDGET));
    let document = |schema, budget| document::Document::new(schema, budget);
    let (given_document, wanted_document) = match (document(given, &proof_budget), document(wanted, &proof_budget)) {
        (Ok(given), Ok(wanted)) => (given, wanted),
        (Err(reason), _) | (_, Err(reason)) => return unknown(reason),
    };
    let gap = match contain::Prover::default().contained(&[given_document.top()], &wanted_document.top(), "") {
        Ok(()) => return Answer::Yes,
        Err(gap) => gap,
    };
    let unproved = unknown(match gap.path.as_str() {
        "" => gap.reason.clone(),
        path => format!("at '{path}': {}", gap.reason),
    });
    let (Ok(given_document), Ok(wanted_document)) = (document(given, &search_budget), document(wanted, &search_budget))
    else {
        return unproved;
    };
    let Some(witness) = witness::find(&given_document.top(), &wanted_document.top()) else { return unproved };
    let validator = wanted_document.validator("").expect("the document was accepted, so its validator was built");
    let reason = match validator.iter_errors(&witness).next() {
        Some(error) => match error.instance_path().to_string().as_str() {
            "" => error.to_string(),
            pointer => format!("at {pointer}: {error}"),
        },
        None => gap.reason,
    };
    Answer::No { reason, witness }
}

#[cfg(test)]
mod tests;
