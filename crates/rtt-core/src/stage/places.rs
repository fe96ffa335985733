//! Lines and columns of findings that name a value of a file by its pointer.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Place};
use crate::workspace::Workspace;

/// Finds lines and columns; reads each file once.
pub(super) struct Resolver<'a> {
    workspace: &'a Workspace,
    texts: BTreeMap<String, Option<String>>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(workspace: &'a Workspace) -> Self {
        Self { workspace, texts: BTreeMap::new() }
    }

    /// Resolves one place. A file that cannot be read leaves it without line, which is no reason to fail.
    pub(super) fn place(&mut self, place: &mut Place) {
        let workspace = self.workspace;
        let text = self.texts.entry(place.file.clone()).or_insert_with_key(|file| {
            let bytes = workspace.read_optional(file).ok().flatten()?;
            String::from_utf8(bytes).ok()
        });
        let Some(text) = text else { return };
        // A part that the file does not spell out is shown at what holds it.
        loop {
            place.resolve(text);
            match place.pointer.rfind('/') {
                Some(end) if place.at.is_none() => place.pointer.truncate(end),
                _ => break,
            }
        }
    }
}

/// Resolves the places of findings.
pub(super) fn resolve(workspace: &Workspace, diagnostics: &mut [Diagnostic]) {
    let mut resolver = Resolver::new(workspace);
    for diagnostic in diagnostics {
        let related = diagnostic.related.iter_mut().map(|related| &mut related.place);
        diagnostic.place.iter_mut().chain(related).for_each(|place| resolver.place(place));
    }
}
