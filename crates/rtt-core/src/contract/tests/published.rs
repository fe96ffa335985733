//! Published pairs of schemas with a verdict in both directions, and what no published pair covers.

use std::path::Path;

use serde_json::Value;

use super::{Answer, Short, contained, short};

/// One pair in both directions: (direction, given, wanted, whether it is contained).
type Question = (String, Value, Value, bool);

/// Reads the pairs; `None` where they are not at hand.
///
/// The verdict "deserializer" takes it that a sender sends no properties that its schema does not name. Where the pair's
/// own examples show a value that only one schema accepts, that decides: containment is about all values.
fn questions() -> Option<Vec<Question>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/contracts");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: {} is not here", folder.display());
        return None;
    };
    let mut pairs: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    pairs.sort();
    let mut all = Vec::new();
    for pair in pairs {
        let read = |name: &str| -> Option<Value> {
            Some(serde_json::from_slice(&std::fs::read(pair.join(name)).ok()?).expect("JSON"))
        };
        let part = |name: &str| read(name).expect("part of the pair");
        let (old, new, expected) = (part("old.json"), part("new.json"), part("expect.json"));
        let examples = read("examples.json").unwrap_or_default();
        let shown = |key: &str| examples[key].as_array().is_some_and(|values| !values.is_empty());
        let name = pair.file_name().expect("has a name").to_string_lossy().into_owned();
        let is = |direction: &str, key: &str| expected[direction] == true && !shown(key);
        let serializer = is("serializer", "new_only");
        let deserializer = is("deserializer", "old_only");
        all.push((format!("{name} serializer"), new.clone(), old.clone(), serializer));
        all.push((format!("{name} deserializer"), old, new, deserializer));
    }
    Some(all)
}

#[test]
fn agrees_with_published_pairs() {
    let Some(questions) = questions() else { return };
    let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
    for (name, given, wanted, is_contained) in &questions {
        let right = if *is_contained { Short::Yes } else { Short::No };
        match short(given, wanted) {
            Short::Unknown => unknown.push(format!("{name}: {:?}, {right:?} is right", contained(given, wanted))),
            answer if answer != right => wrong.push(format!("{name}: {:?}", contained(given, wanted))),
            _ => {}
        }
    }
    println!("{} questions, wrong: {wrong:#?}, unknown: {unknown:#?}", questions.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(unknown.len() * 10 <= questions.len(), "{unknown:#?}");
}

/// Every witness, in the words of the validator: the sender's schema accepts it, the receiver's does not.
#[test]
fn witnesses_of_published_pairs_are_real() {
    for (name, given, wanted, _) in questions().into_iter().flatten() {
        if let Answer::No { witness, .. } = contained(&given, &wanted) {
            let valid = |schema: &Value| jsonschema::validator_for(schema).expect("a schema").is_valid(&witness);
            assert!(valid(&given) && !valid(&wanted), "{name}: {witness}");
        }
    }
}
