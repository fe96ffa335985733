//! Brings the instances of all files together and writes the registry.
//!
//! Nearly every symbol is declared in one place, and its line is taken as it is. Where several declarations meet, or
//! one of them wants to be alone, the manifests are read again and [`collect`] decides.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::ops::Range;

use rayon::prelude::*;

use super::record::{FileRecord, Line, Record};
use crate::diagnostic::Diagnostic;
use crate::manifest::{self, Form, Sourced};
use crate::registry::file::{self, Head};
use crate::registry::{self, Instance, Source, Summary, collect};
use crate::stage::upstream;
use crate::workspace::durable::{Mode, Replacement};
use crate::workspace::{Error, Workspace, layout};

/// The instances of all files, in the order of the registry.
pub(super) struct Assembly {
    entries: Vec<Entry>,
    /// Counts of them.
    pub(super) summary: Summary,
    /// What there is to say about several declarations together.
    pub(super) findings: Vec<Diagnostic>,
}

/// One line of the registry.
enum Entry {
    /// The instance of a file, by their positions.
    Declared { file: usize, instance: usize },
    /// Made of several declarations.
    Collected(Box<str>),
}

/// Brings the instances together.
///
/// # Errors
/// [`Error::Io`] if a file that has to be read again cannot be.
pub(super) fn assemble(workspace: &Workspace, files: &[FileRecord]) -> Result<Assembly, Error> {
    let mut order: Vec<(usize, usize)> = files
        .iter()
        .enumerate()
        .flat_map(|(file, record)| (0..record.instances.len()).map(move |instance| (file, instance)))
        .collect();
    let record = |&(file, instance): &(usize, usize)| -> &Record { &files[file].instances[instance] };
    // Declarations of one instance stay in path order, those of the store last.
    let is_stored = |&(file, _): &(usize, usize)| registry::is_stored(&files[file].path);
    order.par_sort_by(|a, b| record(a).id.cmp(&record(b).id).then_with(|| is_stored(a).cmp(&is_stored(b))));

    let mut assembly =
        Assembly { entries: Vec::with_capacity(order.len()), summary: Summary::default(), findings: Vec::new() };
    let mut at = 0;
    while at < order.len() {
        let symbol = &record(&order[at]).id.symbol;
        let length = order[at..].iter().take_while(|next| record(next).id.symbol == *symbol).count();
        let group = &order[at..at + length];
        at += length;
        assembly.summary.symbols += 1;
        let meet = group.windows(2).any(|pair| record(&pair[0]).id == record(&pair[1]).id);
        let alone = length > 1 && group.iter().any(|place| record(place).singleton);
        if meet || alone {
            let manifests = read_again(workspace, files, group)?;
            assembly.collect(manifests);
            continue;
        }
        for place in group {
            assembly.count(record(place));
            assembly.entries.push(Entry::Declared { file: place.0, instance: place.1 });
        }
    }
    Ok(assembly)
}

/// Reads the manifests of some records, in path order, those of the store last.
fn read_again(workspace: &Workspace, files: &[FileRecord], group: &[(usize, usize)]) -> Result<Vec<Sourced>, Error> {
    let mut wanted: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &(file, instance) in group {
        wanted.entry(file).or_default().push(instance);
    }
    let mut manifests = Vec::new();
    for (file, mut instances) in wanted {
        let path = &*files[file].path;
        let bytes = workspace.read_optional(path)?.unwrap_or_default();
        let mut all: Vec<Option<Sourced>> = manifest::read(path, &bytes).manifests.into_iter().map(Some).collect();
        instances.sort_unstable();
        manifests.extend(instances.into_iter().filter_map(|instance| all.get_mut(instance)?.take()));
    }
    manifests.sort_by_key(|sourced| registry::is_stored(&sourced.place.file));
    Ok(manifests)
}

impl Assembly {
    fn count(&mut self, record: &Record) {
        let summary = &mut self.summary;
        summary.instances += 1;
        summary.methods += record.methods as usize;
        summary.requirements += record.requirements as usize;
        *summary.by_form.entry(record.form).or_default() += 1;
    }

    fn collect(&mut self, manifests: Vec<Sourced>) {
        let forms: BTreeMap<_, Form> = manifests.iter().rev().map(|one| (one.manifest.id(), one.form)).collect();
        let collected = collect(manifests);
        self.summary.collisions += collected.collisions;
        self.findings.extend(collected.diagnostics);
        for instance in &collected.instances {
            let record = Record::of(instance, forms[&instance.id()]);
            self.count(&record);
            let Line::New(text) = record.line else { unreachable!("a record of an instance holds its text") };
            self.entries.push(Entry::Collected(text));
        }
    }

    /// Writes the registry; copies what the earlier one has already. Returns where each line stands, and whether the
    /// registry was the same already and stayed.
    ///
    /// # Errors
    /// [`Error::Io`]; the earlier registry is then still there.
    pub(super) fn write(&self, workspace: &Workspace, head: &Head, files: &[FileRecord]) -> Result<Written, Error> {
        let path = workspace.path(layout::REGISTRY);
        let written = || -> io::Result<Written> {
            let sources = files
                .iter()
                .filter_map(|file| Some(Source { path: file.path.to_string(), sha256: file.digest.as_ref()?.hex() }));
            let mut start = Vec::new();
            file::write_head(&mut start, head, sources)?;
            let mut out = Replacement::of(&path, Mode::Public)?;
            out.write_all(&start)?;
            let mut writer = Writer { out, at: start.len() as u64, run: 0..0 };
            let mut places: Vec<_> = files.iter().map(|file| vec![None; file.instances.len()]).collect();
            for (position, entry) in self.entries.iter().enumerate() {
                let before = if position == 0 { file::FIRST } else { file::SEPARATOR };
                match entry {
                    Entry::Collected(text) => drop(writer.text(before, text)?),
                    Entry::Declared { file, instance } => {
                        let place = match &files[*file].instances[*instance].line {
                            Line::New(text) => writer.text(before, text)?,
                            Line::Kept { offset, length } => writer.kept(before, *offset, *length)?,
                        };
                        places[*file][*instance] = Some(place);
                    }
                }
            }
            writer.end_run()?;
            let mut out = writer.out;
            out.write_all(file::END)?;
            Ok(Written { is_same: !out.commit()?, places })
        };
        written().map_err(|source| Error::create(&path, source))
    }
}

/// What became of the registry.
pub(super) struct Written {
    /// It was the same already.
    pub(super) is_same: bool,
    /// Offset and length of the line of each instance of each file; `None` where it was made of several.
    pub(super) places: Vec<Vec<Option<(u64, u32)>>>,
}

/// Writes lines, and keeps neighbouring ones of the earlier registry in one go.
struct Writer {
    out: Replacement,
    at: u64,
    /// The part of the earlier registry that is to be kept next.
    run: Range<u64>,
}

impl Writer {
    fn text(&mut self, before: &[u8], text: &str) -> io::Result<(u64, u32)> {
        self.end_run()?;
        self.out.write_all(before)?;
        self.out.write_all(text.as_bytes())?;
        Ok(self.advance(before.len() as u64, text.len() as u64))
    }

    fn kept(&mut self, before: &[u8], offset: u64, length: u32) -> io::Result<(u64, u32)> {
        // Between two lines of a registry stands the separator, whatever the lines.
        let follows = self.run.end > self.run.start && self.run.end + file::SEPARATOR.len() as u64 == offset;
        if follows {
            self.run.end = offset + u64::from(length);
        } else {
            self.end_run()?;
            self.out.write_all(before)?;
            self.run = offset..offset + u64::from(length);
        }
        Ok(self.advance(before.len() as u64, u64::from(length)))
    }

    fn advance(&mut self, before: u64, length: u64) -> (u64, u32) {
        let offset = self.at + before;
        self.at = offset + length;
        (offset, u32::try_from(length).unwrap_or(u32::MAX))
    }

    fn end_run(&mut self) -> io::Result<()> {
        let run = std::mem::take(&mut self.run);
        if run.is_empty() {
            return Ok(());
        }
        self.out.keep(run.start, run.end - run.start)
    }
}

/// Returns the instances of the earlier registry that are asked for.
pub(super) fn earlier_instances(workspace: &Workspace, wanted: impl Fn(&Instance) -> bool) -> Vec<Instance> {
    let earlier = upstream::read_registry(workspace).ok().flatten();
    earlier.into_iter().flat_map(|file| file.value.instances).filter(wanted).collect()
}
