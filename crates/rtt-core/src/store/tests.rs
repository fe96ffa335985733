//! The store on a real folder: what is kept, what is refused, what an interrupted writer leaves.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::workspace::Workspace;

fn scratch() -> (tempfile::TempDir, Workspace) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let workspace = Workspace::at(folder.path());
    (folder, workspace)
}

fn name(text: &str) -> InstanceId {
    text.parse().expect("a name")
}

/// The files of the store, but for the lock.
fn files(workspace: &Workspace) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![workspace.root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path()) {
            if entry.is_dir() { folders.push(entry) } else { found.extend([workspace.relative(&entry)]) }
        }
    }
    found.remove(layout::STORE_LOCK);
    found
}

#[test]
fn keeps_objects_once_read_only_and_under_their_names() {
    let (_folder, workspace) = scratch();
    let store = Store::of(&workspace);
    let [one, other] = [Object::json(&serde_json::json!({"a": 1})), Object::bytes("x")];
    let mut writer = store.write().expect("writable");
    let twice = [one.clone(), other.clone(), one.clone()];
    assert_eq!(writer.put_all(&twice).expect("writable"), [Outcome::Added, Outcome::Added, Outcome::Present]);
    assert_eq!(writer.put(&other).expect("writable"), Outcome::Present);
    assert!(writer.name(Role::Agent, name("a.b@1.0.0"), one.digest(), Clash::Refuse).expect("free"));
    assert_eq!(store.list().expect("readable"), Listing::default(), "nothing is there before the commit");
    assert_eq!(writer.commit().expect("writable"), 2);

    let before = files(&workspace);
    let expected = [one.file_name(), other.file_name()].map(|file| format!("{}/{file}", layout::OBJECTS));
    assert_eq!(before, expected.into_iter().chain([layout::STORE_INDEX.to_owned()]).collect());
    let mode = std::fs::metadata(workspace.path(before.iter().next().expect("a file"))).expect("there").permissions();
    assert_eq!(mode.mode() & 0o777, 0o444);
    for reference in ["a.b@1.0.0", &one.digest().to_string(), &one.digest().hex(), &one.digest().hex()[..6]] {
        let reference = Reference::parse(reference).expect("a reference");
        assert_eq!(store.find(&reference).expect("there"), one, "{reference}");
    }

    let mut again = store.write().expect("writable");
    again.put_all(&twice).expect("writable");
    again.name(Role::Agent, name("a.b@1.0.0"), one.digest(), Clash::Refuse).expect("the same");
    assert_eq!(again.commit().expect("writable"), 0);
    assert_eq!(files(&workspace), before);
}

#[test]
fn bytes_that_are_a_document_in_its_canonical_form_are_that_document() {
    let (_folder, workspace) = scratch();
    let store = Store::of(&workspace);
    let mut writer = store.write().expect("writable");
    writer.put(&Object::bytes("{}")).expect("writable");
    assert_eq!(writer.put(&Object::json(&serde_json::json!({}))).expect("writable"), Outcome::Present);
    writer.commit().expect("writable");
    assert_eq!(store.list().expect("readable").objects.len(), 1);
}

#[test]
fn altered_objects_are_refused_and_repaired() {
    let (_folder, workspace) = scratch();
    let store = Store::of(&workspace);
    let object = Object::bytes("content");
    let put = || {
        let mut writer = store.write().expect("writable");
        let outcome = writer.put(&object).expect("writable");
        writer.commit().expect("writable");
        outcome
    };
    put();
    let path = workspace.path(layout::OBJECTS).join(object.file_name());
    let alter = |content: &[u8]| {
        std::fs::remove_file(&path).expect("there");
        crate::workspace::durable::write_atomic(&path, content, crate::workspace::durable::Mode::Public)
            .expect("writable");
    };
    for content in [&b"CONTENT"[..], b"", b"content\n"] {
        alter(content);
        assert!(matches!(store.get(object.digest()), Err(Error::Altered { .. })), "{content:?}");
        assert_eq!(put(), Outcome::Repaired);
        assert_eq!(store.get(object.digest()).expect("intact"), Some(object.clone()));
    }
    std::fs::remove_file(&path).expect("there");
    std::os::unix::fs::symlink("/etc/passwd", &path).expect("writable");
    assert!(matches!(store.get(object.digest()), Err(Error::NotAFile { .. })));
}

#[test]
fn names_stand_for_one_object_and_move_only_if_asked() {
    let (_folder, workspace) = scratch();
    let store = Store::of(&workspace);
    let [one, other] = ["1", "2"].map(Object::bytes);
    let mut writer = store.write().expect("writable");
    writer.put_all(&[one.clone(), other.clone()]).expect("writable");
    writer.name(Role::Agent, name("a.b@1.0.0"), one.digest(), Clash::Refuse).expect("free");
    let refused = writer.name(Role::Document, name("a.b@1.0.0"), other.digest(), Clash::Refuse);
    assert!(matches!(refused, Err(Error::Clash(_))));
    writer.name(Role::Document, name("a.b@1.0.0"), other.digest(), Clash::Replace).expect("asked for");
    assert_eq!(writer.index().iter().count(), 1);
    writer.commit().expect("writable");
    assert_eq!(store.index().expect("readable").get(&name("a.b@1.0.0")), Some((Role::Document, other.digest())));
}

#[test]
fn the_written_order_is_kept_as_long_as_a_name_needs_it() {
    let (_folder, workspace) = scratch();
    let store = Store::of(&workspace);
    let document: serde_json::Value = serde_json::from_str(r#"{"b": 1, "a": 2}"#).expect("JSON");
    let mut writer = store.write().expect("writable");
    let (digest, outcome) = writer.put_written(&document).expect("writable");
    assert_eq!(outcome, Outcome::Added);
    writer.name(Role::Document, name("a.b@1.0.0"), digest, Clash::Refuse).expect("free");
    writer.name(Role::Agent, name("a.b@1.0.0"), digest, Clash::Refuse).expect("the same object");
    writer.commit().expect("writable");
    let index = store.index().expect("readable");
    let written = store.get(index.written(digest)).expect("readable").expect("there");
    assert_eq!(written.content(), br#"{"b":1,"a":2}"#);
    assert!(written.is_layout_of(digest) && !written.is_layout_of(written.digest()));

    let mut writer = store.write().expect("writable");
    writer.forget(&name("a.b@1.0.0")).expect("it is there");
    assert_eq!(garbage::find(&writer).expect("readable").objects.len(), 2);
    writer.commit().expect("writable");
    assert_eq!(store.index().expect("readable"), Index::default());
}

#[test]
fn an_index_that_says_two_things_is_refused() {
    let (_folder, workspace) = scratch();
    let digest = Object::bytes("").digest();
    let both =
        serde_json::json!({"version": "1.0.0", "agents": {"a.b@1.0.0": digest}, "documents": {"a.b@1.0.0": digest}});
    for (text, expected) in [
        (both.to_string(), "'a.b@1.0.0' stands in both lists, 'agents' and 'documents'"),
        (both.to_string().replace("a.b@", "a.b "), "invalid key 'a.b 1.0.0'"),
        (both.to_string().replace("1.0.0\",", "2.0.0\","), "does not match"),
    ] {
        workspace.write(layout::STORE_INDEX, text.as_bytes()).expect("writable");
        let Err(Error::State(crate::workspace::state::StateError::Invalid(findings))) = Store::of(&workspace).index()
        else {
            panic!("accepted {text}")
        };
        assert!(findings.iter().any(|finding| finding.message.contains(expected)), "{findings:?}");
    }
}

#[test]
fn what_a_killed_writer_left_is_removed_by_the_next() {
    let (_folder, workspace) = scratch();
    let store = Store::of(&workspace);
    let mut writer = store.write().expect("writable");
    writer.put(&Object::bytes("lost")).expect("writable");
    // As a kill would: the lock goes, the staging folder stays.
    writer.staging.disable_cleanup(true);
    let left = writer.staging.path().to_owned();
    drop(writer);
    assert!(left.is_dir());
    assert_eq!(store.list().expect("readable"), Listing::default());
    drop(store.write().expect("writable"));
    assert!(!left.exists());
}

#[test]
fn references_that_fit_nothing_or_several_say_so() {
    let (_folder, workspace) = scratch();
    let store = Store::of(&workspace);
    // Two contents whose digests begin alike: found by trying.
    let mut by_prefix = std::collections::BTreeMap::new();
    let (one, other) = (0..)
        .map(|number: u32| Object::bytes(number.to_string()))
        .find_map(|object| Some((by_prefix.insert(object.digest().hex()[..4].to_owned(), object.clone())?, object)))
        .expect("65537 are enough");
    let mut writer = store.write().expect("writable");
    writer.put_all(&[one.clone(), other]).expect("writable");
    writer.commit().expect("writable");
    let find = |text: &str| Reference::parse(text).and_then(|reference| store.find(&reference));
    assert!(
        matches!(find(&one.digest().hex()[..4]), Err(Error::Ambiguous { candidates, .. }) if candidates.len() == 2)
    );
    assert!(matches!(find("ffffffffffff"), Err(Error::Unknown(_))));
    assert!(matches!(find("a.b@1.0.0"), Err(Error::Unknown(_))));
    for text in ["", "abc", "xyz0", "a.b", "a@b", &format!("{}0", one.digest().hex())] {
        assert!(matches!(find(text), Err(Error::NotAReference(_))), "{text}");
    }
}
