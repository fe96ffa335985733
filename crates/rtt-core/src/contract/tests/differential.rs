//! Answers against the validator: no document may contradict one.

use jsonschema::canonical::Satisfiability;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::generate::{change, document, pair, schema};
use super::{Answer, Short, contained, short};

/// Returns a document that satisfies both schemas, if one is found.
fn common(one: &Value, other: &Value) -> Option<Value> {
    match contained(&pair("allOf", one, other), &json!(false)) {
        Answer::No { witness, .. } => Some(witness),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// *Yes* holds for documents drawn at random and for some that the sender's schema is known to accept; *no* for its
    /// witness.
    #[test]
    fn no_document_contradicts_an_answer(
        given in schema(),
        change in change(),
        probes in proptest::collection::vec(schema(), 3),
        documents in proptest::collection::vec(document(), 40),
    ) {
        let wanted = change.apply(&given);
        let (Ok(sender), Ok(receiver)) = (jsonschema::validator_for(&given), jsonschema::validator_for(&wanted)) else {
            return Ok(());
        };
        match contained(&given, &wanted) {
            Answer::Yes => {
                let probes = probes.iter().filter_map(|probe| common(&given, probe));
                for document in documents.into_iter().chain(probes) {
                    prop_assert!(
                        !sender.is_valid(&document) || receiver.is_valid(&document),
                        "{document} is valid under {given} and not under {wanted}"
                    );
                }
            }
            Answer::No { witness, .. } => {
                prop_assert!(sender.is_valid(&witness) && !receiver.is_valid(&witness), "{witness}: {given} within {wanted}");
            }
            Answer::Unknown { .. } => {}
        }
    }
}

/// The random pairs lead to each answer often, and what must be contained is seldom unknown.
#[test]
fn random_schemas_reach_every_answer() {
    let count = 400;
    let mut runner = TestRunner::deterministic();
    let (mut yes, mut no, mut unknown, mut undecided_laws) = (0, 0, 0, 0);
    for _ in 0..count {
        let (given, other, change) =
            (schema(), schema(), change()).new_tree(&mut runner).expect("the strategies reject nothing").current();
        let wanted = change.apply(&given);
        if given != wanted {
            match short(&given, &wanted) {
                Short::Yes => yes += 1,
                Short::No => no += 1,
                Short::Unknown => unknown += 1,
            }
        }
        // Written differently, so that equal text alone does not settle it.
        let same = pair("allOf", &given, &json!(true));
        for (smaller, larger) in [
            (&given, &same),
            (&same, &given),
            (&given, &pair("anyOf", &given, &other)),
            (&pair("allOf", &given, &other), &given),
        ] {
            match contained(smaller, larger) {
                Answer::Yes => {}
                Answer::Unknown { .. } => undecided_laws += 1,
                Answer::No { witness, .. } => panic!("{smaller} within {larger}: {witness}"),
            }
        }
    }
    println!("{yes} yes, {no} no, {unknown} unknown; {undecided_laws} of {} laws unknown", 4 * count);
    let all = yes + no + unknown;
    assert!(yes * 100 >= 15 * all && no * 100 >= 15 * all, "{yes} yes, {no} no, {unknown} unknown");
    assert!(unknown * 100 <= 10 * all, "{unknown} of {all} unknown");
    assert!(undecided_laws * 100 <= 5 * 4 * count, "{undecided_laws} of {} laws unknown", 4 * count);
}

/// The validator's own set algebra, where it comes to an answer, comes to the same one.
#[test]
fn no_second_opinion_contradicts_an_answer() {
    let mut runner = TestRunner::deterministic();
    let mut compared = 0;
    for _ in 0..400 {
        let (given, change) =
            (schema(), change()).new_tree(&mut runner).expect("the strategies reject nothing").current();
        let wanted = change.apply(&given);
        let (Ok(sent), Ok(accepted)) = (jsonschema::canonicalize(&given), jsonschema::canonicalize(&wanted)) else {
            continue;
        };
        let other = match sent.subtract(&accepted).map(|difference| difference.satisfiability()) {
            Ok(Satisfiability::No) => Short::Yes,
            Ok(Satisfiability::Yes) => Short::No,
            _ => continue,
        };
        let own = short(&given, &wanted);
        assert!(own == other || own == Short::Unknown, "{given} within {wanted}: {own:?}, {other:?}");
        compared += 1;
    }
    assert!(compared >= 200, "{compared}");
}
