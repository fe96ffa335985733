//! Writing the store. Objects are staged in a folder beside the objects, then renamed into place, then named.
//!
//! A kill before the first rename leaves nothing but the staging folder, which means nothing and which the next writer
//! removes; one between two renames leaves whole objects without names; and the index is replaced in one step.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::object::{self, Kind, Object};
use super::reader::Entry;
use super::{Conflict, Error, Index, Role, Store};
use crate::digest::Digest;
use crate::symbol::InstanceId;
use crate::workspace::durable::{self, Mode};
use crate::workspace::lock::ExclusiveLock;
use crate::workspace::unfinished;
use crate::workspace::{self, layout};

/// What became of an object that was put into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was not there.
    Added,
    /// It was there already.
    Present,
    /// What lay under its name was something else; it is replaced.
    Repaired,
}

/// What to do where a name stands for another object already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clash {
    /// Leave it, and say so.
    Refuse,
    /// Let it stand for the new object.
    Replace,
}

/// The store, locked for writing. Nothing changes before [`Writer::commit`]; dropping it changes nothing.
pub struct Writer<'a> {
    store: Store<'a>,
    pub(super) staging: tempfile::TempDir,
    staged: BTreeSet<Entry>,
    before: Index,
    index: Index,
    _lock: ExclusiveLock,
}

impl<'a> Writer<'a> {
    pub(super) fn new(store: Store<'a>) -> Result<Self, Error> {
        let workspace = store.workspace();
        let objects = workspace.path(layout::OBJECTS);
        durable::create_dir_all(&objects).map_err(|source| workspace::Error::create(&objects, source))?;
        let lock = workspace.path(layout::STORE_LOCK);
        let lock = ExclusiveLock::acquire(&lock).map_err(|source| workspace::Error::create(&lock, source))?;
        // Beside the objects: on their file system, and never mistaken for one of them.
        let parent = objects.parent().expect("the objects have a folder of their own");
        let staging = unfinished::remove_all(parent).and_then(|()| unfinished::folder(parent));
        let staging = staging.map_err(|source| workspace::Error::create(parent, source))?;
        // Under the lock, so that no other writer's names are lost.
        let index = store.index()?;
        Ok(Self { store, staging, staged: BTreeSet::new(), before: index.clone(), index, _lock: lock })
    }

    /// Takes an object.
    ///
    /// # Errors
    /// [`Error::Workspace`], [`Error::NotAFile`].
    pub fn put(&mut self, object: &Object) -> Result<Outcome, Error> {
        Ok(self.put_all(std::slice::from_ref(object))?[0])
    }

    /// Takes objects, in parallel; returns what becomes of each.
    ///
    /// # Errors
    /// [`Error::Workspace`], [`Error::NotAFile`].
    pub fn put_all(&mut self, objects: &[Object]) -> Result<Vec<Outcome>, Error> {
        let staged = |digest| Kind::ALL.into_iter().any(|kind| self.staged.contains(&Entry { digest, kind }));
        let mut seen: BTreeSet<Digest> = BTreeSet::new();
        let is_new: Vec<bool> =
            objects.iter().map(|object| !staged(object.digest()) && seen.insert(object.digest())).collect();
        let outcomes = objects
            .par_iter()
            .zip(&is_new)
            .map(|(object, is_new)| if *is_new { self.stage(object) } else { Ok(Outcome::Present) })
            .collect::<Result<Vec<Outcome>, Error>>()?;
        let written = objects.iter().zip(&outcomes).filter(|(_, outcome)| **outcome != Outcome::Present);
        self.staged.extend(written.map(|(object, _)| Entry { digest: object.digest(), kind: object.kind() }));
        Ok(outcomes)
    }

    /// Writes an object into the staging folder, unless the store holds it.
    fn stage(&self, object: &Object) -> Result<Outcome, Error> {
        let digest = object.digest();
        let mut outcome = Outcome::Added;
        for kind in Kind::ALL {
            match self.store.read(&Entry { digest, kind }) {
                Ok(Some(_)) => return Ok(Outcome::Present),
                Ok(None) => {}
                Err(Error::Altered { .. }) if kind == object.kind() => outcome = Outcome::Repaired,
                // Somebody's file of another extension, which `verify` names.
                Err(Error::Altered { .. }) => {}
                Err(other) => return Err(other),
            }
        }
        let path = self.staging.path().join(object.file_name());
        durable::write_unsynced(&path, object.content(), Mode::ReadOnly)
            .map_err(|source| workspace::Error::create(&path, source))?;
        Ok(outcome)
    }

    /// Returns the store as it is, without what was put into this writer.
    pub fn store(&self) -> &Store<'a> {
        &self.store
    }

    /// Removes objects at once; durable when it returns.
    ///
    /// # Errors
    /// [`Error::Workspace`].
    pub fn remove(&mut self, entries: &[Entry]) -> Result<(), Error> {
        for entry in entries {
            let path = self.store.path(entry);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(workspace::Error::remove(&path, error).into());
                }
                _ => {}
            }
        }
        let objects = self.store.workspace().path(layout::OBJECTS);
        durable::sync_folder(&objects).map_err(|source| workspace::Error::remove(&objects, source).into())
    }

    /// Returns the index as it is going to be.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Lets a name stand for an object; returns whether that is new.
    ///
    /// # Errors
    /// [`Error::Clash`], unless it is to be replaced.
    pub fn name(&mut self, role: Role, name: InstanceId, digest: Digest, clash: Clash) -> Result<bool, Error> {
        match self.index.get(&name) {
            Some(found) if found == (role, digest) => return Ok(false),
            Some((_, before)) if before != digest && clash == Clash::Refuse => {
                return Err(Error::Clash(Box::new(Conflict { name, before, after: digest })));
            }
            _ => {}
        }
        self.index.set(role, name, digest);
        Ok(true)
    }

    /// Takes a JSON document, and also the order in which its members were written where that is not the canonical one;
    /// code that is generated from an agent follows it. Returns the name of the document.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn put_written(&mut self, document: &serde_json::Value) -> Result<(Digest, Outcome), Error> {
        let object = Object::json(document);
        let outcome = self.put(&object)?;
        let written = Object::written(document);
        if let Some(written) = &written {
            self.put(written)?;
        }
        self.set_layout(object.digest(), written.as_ref().map(Object::digest));
        Ok((object.digest(), outcome))
    }

    /// Says in which object a document stands as it was written; returns whether that is new. The canonical form stands
    /// in its own.
    pub fn set_layout(&mut self, canonical: Digest, written: Option<Digest>) -> bool {
        match written {
            Some(written) => self.index.layouts.insert(canonical, written) != Some(written),
            None => self.index.layouts.remove(&canonical).is_some(),
        }
    }

    /// Forgets a name; returns what it stood for.
    pub fn forget(&mut self, name: &InstanceId) -> Option<Digest> {
        self.index.remove(name)
    }

    /// Puts objects and names in place. Durable when it returns; returns the number of objects that were written.
    ///
    /// # Errors
    /// [`Error::Workspace`]. Objects that were put in place before it stay: they are whole, and nothing names them.
    pub fn commit(self) -> Result<usize, Error> {
        let objects = self.store.workspace().path(layout::OBJECTS);
        let written = self.staged.len();
        self.publish(&objects).map_err(|source| workspace::Error::create(&objects, source))?;
        if self.index != self.before {
            let index = self.store.workspace().path(layout::STORE_INDEX);
            self.publish_index(&index).map_err(|source| workspace::Error::create(&index, source))?;
        }
        Ok(written)
    }

    /// Through the staging folder, so that a kill leaves nothing elsewhere.
    fn publish_index(&self, index: &Path) -> io::Result<()> {
        let staged = self.staging.path().join("index.json");
        durable::write_unsynced(&staged, self.index.text().as_bytes(), Mode::Public)?;
        durable::sync_files(self.staging.path(), &["index.json"])?;
        durable::rename(&staged, index)?;
        durable::sync_folder_of(index)
    }

    fn publish(&self, objects: &Path) -> io::Result<()> {
        if self.staged.is_empty() {
            return Ok(());
        }
        let names: Vec<PathBuf> =
            self.staged.iter().map(|entry| object::file_name(entry.digest, entry.kind).into()).collect();
        // Content before names: no name may outlive a crash that its content does not.
        durable::sync_files(self.staging.path(), &names)?;
        for name in &names {
            durable::rename(&self.staging.path().join(name), &objects.join(name))?;
        }
        durable::sync_folder(objects)
    }
}
