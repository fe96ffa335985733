//! JSON Schema containment: may what one side sends always be accepted by the other?
//!
//! [`contained`] answers for two schemas, [`satisfies`] for a provider's interface and a consumer's requirement. Knows
//! no files and no agents besides their interfaces.
//!
//! Three answers: *yes* means that the search for a value that only the sender's schema accepts has come to its end, *no*
//! comes with such a value, which the validators themselves tell apart, and everything else is *unknown*, with the keyword
//! that was in the way.
//!
//! The search (`search`) works on schemas that were read into rules (`read`, `schema`). What is demanded of a value
//! is split by its kind, and worked out by one theory for each kind: `number`, `string`, `array`, `object`.

mod array;
mod claim;
mod decimal;
mod evaluated;
mod number;
mod object;
mod pattern;
mod read;
mod schema;
mod search;
mod state;
mod string;
mod terms;
mod validate;

pub use terms::{Mismatch, Term, satisfies};

use serde_json::Value;

use self::claim::Demand;
use self::schema::{Node, Schema, Side};
use self::search::{Outcome, Search};

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

/// A JSON Schema, read once for any number of questions.
///
/// By default of the 2020-12 dialect; `format` counts as an annotation; references lead to places in the same schema.
#[derive(Debug)]
pub struct Contract<'v> {
    schema: Schema<'v>,
}

impl<'v> Contract<'v> {
    /// Reads a schema.
    ///
    /// # Errors
    /// One sentence that says what it is about the schema that cannot be compared, or is no JSON Schema.
    pub fn read(schema: &'v Value) -> Result<Self, String> {
        Ok(Self { schema: read::read(schema)? })
    }

    /// Tells whether every value that is valid under this schema is also valid under `wanted`.
    pub fn is_contained_in(&self, wanted: &Contract) -> Answer {
        decide(&self.schema, &wanted.schema)
    }
}

/// Tells whether every value that is valid under `given` is also valid under `wanted`.
///
/// Both are JSON Schemas; see [`Contract`]. Where one schema takes part in many questions, read it once.
pub fn contained(given: &Value, wanted: &Value) -> Answer {
    if *wanted == Value::Bool(true) || given == wanted {
        return Answer::Yes;
    }
    match (Contract::read(given), Contract::read(wanted)) {
        (Ok(given), Ok(wanted)) => given.is_contained_in(&wanted),
        (Err(reason), _) => Answer::Unknown { reason: format!("the sender's schema cannot be compared: {reason}") },
        (_, Err(reason)) => Answer::Unknown { reason: format!("the receiver's schema cannot be compared: {reason}") },
    }
}

fn decide<'a>(given: &'a Schema<'a>, wanted: &'a Schema<'a>) -> Answer {
    let demands = vec![Demand::Is(Node::top(given, Side::Given)), Demand::IsNot(Node::top(wanted, Side::Wanted))];
    let (candidate, doubt) = match Search::new(given, wanted, BUDGET).solve(demands) {
        Outcome::Empty => return Answer::Yes,
        Outcome::Found(value) => (Some(value), "the validator takes the schemas in another way".to_owned()),
        Outcome::Unknown(obstacle) => (obstacle.candidate, obstacle.reason),
    };
    let refused = candidate.and_then(|witness| {
        let (sender, receiver) = (validate::validator(given.source)?, validate::validator(wanted.source)?);
        let reason = validate::refusal(&receiver, &witness)?;
        sender.is_valid(&witness).then_some((reason, witness))
    });
    match refused {
        Some((reason, witness)) => Answer::No { reason, witness },
        None => Answer::Unknown { reason: doubt },
    }
}

#[cfg(test)]
mod tests;
