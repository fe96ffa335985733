//! The last word on a witness: the validator's own.

use jsonschema::Validator;
use serde_json::Value;

/// Builds the validator of a schema; `None` if it is not valid.
///
/// Formats are annotations in every dialect: agents differ in which ones they check.
pub(super) fn validator(schema: &Value) -> Option<Validator> {
    jsonschema::options().should_validate_formats(false).build(schema).ok()
}

/// Says why a value is refused: a JSON pointer into it, unless all of it is, and what is wrong there; `None` if it is
/// accepted.
pub(super) fn refusal(validator: &Validator, value: &Value) -> Option<String> {
    let error = validator.iter_errors(value).next()?;
    Some(match error.instance_path().to_string().as_str() {
        "" => error.to_string(),
        pointer => format!("at {pointer}: {error}"),
    })
}
