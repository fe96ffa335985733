//! The scan's index, `.rtt/cache/scan.index`: what was found in which file, so that a file that did not change is not
//! read again, and where the registry has its instances' lines, so that these are copied.
//!
//! It belongs to the machine that wrote it and is no state: without it, or with one that does not fit, everything is
//! read. Layout, numbers in little-endian order, texts with their length (u32) before them:
//! [`MAGIC`]; generator; selection (JSON); head (JSON); stat of the registry; a byte, 1 if nobody has anything to say;
//! number of files; per file path, stat (zeros if unsettled), digest (zeros if unreadable), a byte, 1 if there is
//! nothing to say about it, length of its instances, number of them; per instance symbol, version, offset, length,
//! form, flags, methods, requirements; the SHA-256 of all that.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::record::{FileRecord, Line, Record};
use super::stat::Stat;
use crate::digest::Digest;
use crate::manifest::Form;
use crate::registry::Selection;
use crate::symbol::InstanceId;
use crate::workspace::{Error, Workspace, layout};

const MAGIC: &[u8; 16] = b"rtt scan index 1";
/// Flags of an instance.
const SINGLETON: u8 = 1;
const MCP: u8 = 2;
/// Forms by their number in the index.
const FORMS: [Form; 7] = [
    Form::Canonical,
    Form::RttSymbol,
    Form::RttAgent,
    Form::A2aCard,
    Form::McpRegistry,
    Form::McpConfig,
    Form::McpTools,
];

/// What an index says beside the files.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct About {
    /// Executable and version.
    pub(super) generator: String,
    /// Which files were read.
    pub(super) selection: Selection,
    /// Fingerprint and counts of the registry, as JSON.
    pub(super) head: String,
    /// The registry that the offsets point into.
    pub(super) registry: Stat,
    /// There was nothing to say about any file, nor about several together.
    pub(super) is_quiet: bool,
}

/// An index as it was read.
pub(super) struct Index {
    bytes: Vec<u8>,
    pub(super) about: About,
    /// By path.
    files: Vec<Entry>,
}

/// One file of an index; the texts lie in its bytes.
struct Entry {
    path: std::ops::Range<usize>,
    stat: Option<Stat>,
    digest: Option<Digest>,
    is_quiet: bool,
    instances: std::ops::Range<usize>,
    count: u32,
}

impl Index {
    /// Reads the index; `None` if there is none that can be used.
    pub(super) fn read(workspace: &Workspace) -> Option<Self> {
        let bytes = workspace.read_optional(layout::SCAN_INDEX).ok()??;
        let end = bytes.len().checked_sub(32)?;
        if Digest::of_bytes(&bytes[..end]).bytes() != &bytes[end..] {
            return None;
        }
        let mut reader = Reader { bytes: &bytes[..end], at: 0 };
        if reader.take(MAGIC.len())? != MAGIC {
            return None;
        }
        let about = About {
            generator: reader.text()?.to_owned(),
            selection: serde_json::from_str(reader.text()?).ok()?,
            head: reader.text()?.to_owned(),
            registry: reader.stat()??,
            is_quiet: reader.byte()? == 1,
        };
        let count = reader.u32()?;
        let mut files = Vec::with_capacity(usize::try_from(count).ok()?.min(bytes.len() / 64));
        for _ in 0..count {
            files.push(reader.entry()?);
        }
        Some(Self { about, files, bytes })
    }

    /// Returns how many files there are.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Tells whether a file is as it was when there was nothing to say about it.
    pub(super) fn is_unchanged(&self, position: usize, path: &str, stat: Option<Stat>) -> bool {
        self.files.get(position).is_some_and(|file| {
            self.path(file) == path && stat.is_some() && file.stat == stat && file.is_quiet && file.digest.is_some()
        })
    }

    /// Tells whether a file of which there was nothing to say declared these agents and no others.
    pub(super) fn declares(&self, path: &str, agents: &BTreeSet<InstanceId>) -> bool {
        let declared = self.find(path).and_then(|file| self.records(file));
        declared.is_some_and(|records| records.iter().map(|record| &record.id).eq(agents))
    }

    /// Returns the digest of a file that has not changed since it was read.
    pub(super) fn digest(&self, path: &str, stat: Option<Stat>) -> Option<Digest> {
        self.find(path).filter(|file| stat.is_some() && file.stat == stat)?.digest
    }

    /// Returns what is known of a file of which there was nothing to say, if it has not changed: its stat tells so, or
    /// the digest that is asked for.
    pub(super) fn record(
        &self,
        path: &Arc<str>,
        stat: Option<Stat>,
        digest: impl FnOnce() -> Option<Digest>,
    ) -> Option<FileRecord> {
        let file = self.find(path).filter(|file| file.is_quiet && file.digest.is_some())?;
        if (stat.is_none() || file.stat != stat) && digest() != file.digest {
            return None;
        }
        let instances = self.records(file)?;
        Some(FileRecord {
            path: path.clone(),
            stat,
            digest: file.digest,
            instances,
            findings: Vec::new(),
            is_fresh: false,
        })
    }

    fn records(&self, file: &Entry) -> Option<Vec<Record>> {
        let mut reader = Reader { bytes: &self.bytes[..file.instances.end], at: file.instances.start };
        (0..file.count).map(|_| reader.record()).collect()
    }

    fn find(&self, path: &str) -> Option<&Entry> {
        let position = self.files.binary_search_by(|file| self.path(file).cmp(path)).ok()?;
        Some(&self.files[position])
    }

    fn path(&self, entry: &Entry) -> &str {
        std::str::from_utf8(&self.bytes[entry.path.clone()]).unwrap_or_default()
    }
}

/// Writes an index. `place` tells where the registry has the line of the given instance of the given file; `None` if a
/// file's instances cannot be copied from it.
///
/// # Errors
/// [`Error::Io`]; the registry is good without an index.
pub(super) fn write(
    workspace: &Workspace,
    about: &About,
    files: &[FileRecord],
    place: impl Fn(usize, usize) -> Option<(u64, u32)>,
) -> Result<(), Error> {
    let mut out = MAGIC.to_vec();
    put_text(&mut out, &about.generator);
    put_text(&mut out, &serde_json::to_string(&about.selection).expect("lists of strings and a flag"));
    put_text(&mut out, &about.head);
    put_stat(&mut out, Some(about.registry));
    out.push(u8::from(about.is_quiet));
    put_u32(&mut out, files.len());
    let mut instances = Vec::new();
    for (position, file) in files.iter().enumerate() {
        instances.clear();
        let mut is_quiet = file.findings.is_empty();
        for (index, record) in file.instances.iter().enumerate() {
            let Some((offset, length)) = place(position, index) else {
                is_quiet = false;
                break;
            };
            put_record(&mut instances, record, offset, length);
        }
        put_text(&mut out, &file.path);
        put_stat(&mut out, file.stat);
        out.extend(file.digest.as_ref().map_or(&[0; 32], Digest::bytes));
        out.push(u8::from(is_quiet));
        let count = if is_quiet { file.instances.len() } else { 0 };
        put_u32(&mut out, if is_quiet { instances.len() } else { 0 });
        put_u32(&mut out, count);
        if is_quiet {
            out.extend(&instances);
        }
    }
    let digest = Digest::of_bytes(&out);
    out.extend(digest.bytes());
    workspace.write(layout::SCAN_INDEX, &out)
}

fn put_u32(out: &mut Vec<u8>, number: usize) {
    out.extend(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_u32(out, text.len());
    out.extend(text.as_bytes());
}

fn put_stat(out: &mut Vec<u8>, stat: Option<Stat>) {
    let Stat { size, modified, changed, inode, device } =
        stat.unwrap_or(Stat { size: 0, modified: 0, changed: 0, inode: 0, device: 0 });
    for bytes in
        [size.to_le_bytes(), modified.to_le_bytes(), changed.to_le_bytes(), inode.to_le_bytes(), device.to_le_bytes()]
    {
        out.extend(bytes);
    }
}

fn put_record(out: &mut Vec<u8>, record: &Record, offset: u64, length: u32) {
    put_text(out, record.id.symbol.as_str());
    put_text(out, &record.id.version.to_string());
    out.extend(offset.to_le_bytes());
    out.extend(length.to_le_bytes());
    let form = FORMS.iter().position(|form| *form == record.form).unwrap_or_default();
    out.push(u8::try_from(form).unwrap_or_default());
    out.push(if record.singleton { SINGLETON } else { 0 } | if record.is_mcp { MCP } else { 0 });
    out.extend(record.methods.to_le_bytes());
    out.extend(record.requirements.to_le_bytes());
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn i64(&mut self) -> Option<i64> {
        Some(i64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.u32()?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    /// The outer `None` says that the index ends here.
    fn stat(&mut self) -> Option<Option<Stat>> {
        let stat = Stat {
            size: self.u64()?,
            modified: self.i64()?,
            changed: self.i64()?,
            inode: self.u64()?,
            device: self.u64()?,
        };
        Some(Some(stat).filter(|stat| stat.inode != 0))
    }

    fn entry(&mut self) -> Option<Entry> {
        let length = usize::try_from(self.u32()?).ok()?;
        let path = self.at..self.at + length;
        self.take(length)?;
        let stat = self.stat()?;
        let digest = Digest::from_bytes(self.take(32)?.try_into().ok()?);
        let is_quiet = self.byte()? == 1;
        let length = usize::try_from(self.u32()?).ok()?;
        let count = self.u32()?;
        let instances = self.at..self.at + length;
        self.take(length)?;
        let digest = Some(digest).filter(|digest| digest.bytes() != &[0; 32]);
        Some(Entry { path, stat, digest, is_quiet, instances, count })
    }

    fn record(&mut self) -> Option<Record> {
        let symbol = self.text()?.parse().ok()?;
        let version = self.text()?.parse().ok()?;
        let line = Line::Kept { offset: self.u64()?, length: self.u32()? };
        let form = *FORMS.get(usize::from(self.byte()?))?;
        let flags = self.byte()?;
        Some(Record {
            id: InstanceId { symbol, version },
            line,
            form,
            singleton: flags & SINGLETON != 0,
            is_mcp: flags & MCP != 0,
            methods: self.u32()?,
            requirements: self.u32()?,
        })
    }
}
