//! The flight recorder, `.rtt/telemetry/flight.ndjson`: one JSON object a line, appended under a lock.
//!
//! It is bounded: beyond [`MAX_BYTES`] the file becomes `flight.1.ndjson` and so on, [`KEPT_FILES`] in all. A writer that is
//! killed leaves at most part of its own line; whoever comes next begins a new one, and readers pass over what is no record.
//! Readers take no lock.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::trace::Span;
use crate::workspace::lock::ExclusiveLock;
use crate::workspace::{Error, Workspace, durable, layout, unfinished};

/// The size beyond which a file is rotated, in bytes.
pub const MAX_BYTES: u64 = 1 << 20;
/// How many files are kept, the current one included.
pub const KEPT_FILES: usize = 4;
/// The longest line in bytes. Of a record that would be longer the longest figures are left out, with their number under
/// the name `omitted`.
pub const MAX_LINE_BYTES: usize = 1 << 16;

/// One run of a stage (`schemas/rtt.flight.schema.json`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Format version.
    pub version: String,
    /// When the run began, RFC 3339 in UTC with milliseconds.
    pub start: String,
    /// How long it took, in ms.
    pub duration_ms: u64,
    /// The stage's two digits.
    pub stage: String,
    /// Executable and version.
    pub generator: String,
    /// The exit code.
    pub exit_code: u8,
    /// How the run ended, as one word; never a message, which may hold a path of this machine.
    pub outcome: String,
    /// Digest over the fingerprint of the inputs; absent if the run ended before they were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<String>,
    /// The stage's figures.
    pub figures: BTreeMap<String, Value>,
    /// The run's place in a trace; absent in records from before traces were carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Span>,
}

impl Record {
    /// Returns the record as the recorder writes it, with its line end.
    fn line(&self) -> String {
        let text = |record: &Self| serde_json::to_string(record).expect("string keys and finite numbers") + "\n";
        let line = text(self);
        if line.len() <= MAX_LINE_BYTES {
            return line;
        }
        let mut cut = Self { outcome: self.outcome.chars().take(64).collect(), ..self.clone() };
        let mut by_length: Vec<(usize, &String)> =
            self.figures.iter().map(|(name, value)| (name.len() + value.to_string().len(), name)).collect();
        by_length.sort_unstable();
        while let Some((_, longest)) = by_length.pop() {
            cut.figures.remove(longest);
            cut.figures.insert("omitted".to_owned(), (self.figures.len() - by_length.len()).into());
            let line = text(&cut);
            if line.len() <= MAX_LINE_BYTES {
                return line;
            }
        }
        text(&cut)
    }
}

/// Appends a record, rotating where the file has grown too large; returns the lock, under which alone files are written
/// in that folder.
///
/// # Errors
/// [`Error::Io`].
pub fn append(workspace: &Workspace, record: &Record) -> Result<ExclusiveLock, Error> {
    let path = workspace.path(layout::FLIGHT);
    let failed = |source| Error::create(&path, source);
    durable::create_dir_all(&workspace.path(layout::TELEMETRY)).map_err(failed)?;
    let lock = ExclusiveLock::acquire(&workspace.path(layout::FLIGHT_LOCK)).map_err(failed)?;
    unfinished::remove_all(&workspace.path(layout::TELEMETRY)).map_err(failed)?;
    let mut line = record.line();
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(&path).map_err(failed)?;
    let mut size = file.metadata().map_err(failed)?.len();
    if size > 0 && size + line.len() as u64 > MAX_BYTES {
        rotate(workspace).map_err(failed)?;
        file = OpenOptions::new().create(true).append(true).read(true).open(&path).map_err(failed)?;
        size = 0;
    }
    if size > 0 {
        // A writer that was killed may have left half a line: the next record begins on a line of its own.
        file.seek(SeekFrom::End(-1)).map_err(failed)?;
        let mut last = [0];
        file.read_exact(&mut last).map_err(failed)?;
        if last != *b"\n" {
            line.insert(0, '\n');
        }
    }
    file.write_all(line.as_bytes()).map_err(failed)?;
    Ok(lock)
}

fn rotate(workspace: &Workspace) -> std::io::Result<()> {
    for number in (0..KEPT_FILES - 1).rev() {
        let from = workspace.path(layout::flight_file(number));
        if from.exists() {
            durable::rename(&from, &workspace.path(layout::flight_file(number + 1)))?;
        }
    }
    Ok(())
}

/// Reads every kept record, oldest first; lines that are not records (torn by a kill) are passed over.
///
/// # Errors
/// [`Error::Io`].
pub fn read(workspace: &Workspace) -> Result<Vec<Record>, Error> {
    let (tail, mut records) = Tail::begin(workspace)?;
    records.extend(serde_json::from_slice::<Record>(&tail.rest));
    Ok(records)
}

/// Reads on as records are written.
#[derive(Debug)]
pub struct Tail {
    workspace: Workspace,
    /// The newest file that was there, read up to its last whole line; `None` if there was none yet.
    newest: Option<File>,
    /// What follows the last line end.
    rest: Vec<u8>,
}

impl Tail {
    /// Begins behind the records that are kept now, which come second, oldest first.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn begin(workspace: &Workspace) -> Result<(Self, Vec<Record>), Error> {
        let mut tail = Self { workspace: workspace.clone(), newest: None, rest: Vec::new() };
        let records = tail.poll()?;
        Ok((tail, records))
    }

    /// Returns the records that were written since the last time, oldest first.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn poll(&mut self) -> Result<Vec<Record>, Error> {
        let failed = |source| Error::read(&self.workspace.path(layout::FLIGHT), source);
        let mut records = Vec::new();
        let since = self.newest.as_ref().map(identity).transpose().map_err(failed)?;
        // From the newest on: a file that is rotated meanwhile is met again, not missed.
        let mut files: Vec<(File, (u64, u64))> = Vec::new();
        for number in 0..=KEPT_FILES {
            let file = match File::open(self.workspace.path(layout::flight_file(number))) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(failed(source)),
            };
            let which = identity(&file).map_err(failed)?;
            if Some(which) == since {
                break;
            }
            if files.iter().all(|(_, known)| *known != which) {
                files.push((file, which));
            }
        }
        let read = |file: &mut File, rest: &mut Vec<u8>| file.read_to_end(rest).map_err(failed);
        if let Some(file) = &mut self.newest {
            read(file, &mut self.rest)?;
        }
        take_records(&mut self.rest, &mut records);
        for (mut file, _) in files.into_iter().rev() {
            // Nobody writes into an older file: what ends it without a line end is a whole record or none.
            records.extend(serde_json::from_slice::<Record>(&self.rest));
            self.rest.clear();
            read(&mut file, &mut self.rest)?;
            take_records(&mut self.rest, &mut records);
            self.newest = Some(file);
        }
        Ok(records)
    }
}

/// What tells one file from another whatever it is called.
fn identity(file: &File) -> io::Result<(u64, u64)> {
    file.metadata().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Takes the records of all whole lines.
fn take_records(bytes: &mut Vec<u8>, records: &mut Vec<Record>) {
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else { return };
    let whole = bytes[..end].split(|byte| *byte == b'\n');
    records.extend(whole.filter_map(|line| serde_json::from_slice::<Record>(line).ok()));
    bytes.drain(..=end);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: usize) -> Record {
        Record {
            version: "1.0.0".to_owned(),
            start: "2025-10-27T12:00:00.000Z".to_owned(),
            duration_ms: 1,
            stage: "10".to_owned(),
            generator: "test".to_owned(),
            exit_code: 0,
            outcome: "x".repeat(1000),
            inputs: None,
            figures: [("number".to_owned(), number.into())].into(),
            trace: None,
        }
    }

    #[test]
    fn keeps_the_newest_records_within_its_bound_and_survives_torn_lines() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let workspace = Workspace::at(folder.path());
        let count = (MAX_BYTES as usize / 1000) * (KEPT_FILES + 1);
        std::fs::create_dir_all(workspace.path(layout::TELEMETRY)).expect("writable");
        workspace.write(layout::FLIGHT, b"{\"torn").expect("writable");
        for number in 0..count {
            append(&workspace, &record(number)).expect("writable");
        }
        let records = read(&workspace).expect("readable");
        assert_eq!(records.last(), Some(&record(count - 1)));
        let numbers: Vec<_> =
            records.iter().map(|record| record.figures["number"].as_u64().expect("a number")).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "no record is lost in between");
        let kept: u64 = (0..=KEPT_FILES)
            .filter_map(|n| std::fs::metadata(workspace.path(layout::flight_file(n))).ok())
            .map(|file| file.len())
            .sum();
        assert!(kept <= MAX_BYTES * KEPT_FILES as u64 && kept > MAX_BYTES * (KEPT_FILES as u64 - 1), "{kept}");
    }

    fn numbers(records: &[Record]) -> Vec<u64> {
        records.iter().map(|record| record.figures["number"].as_u64().expect("a number")).collect()
    }

    #[test]
    fn a_record_cut_anywhere_hides_no_other() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let workspace = Workspace::at(folder.path());
        let line = Record { outcome: "größe".to_owned(), ..record(1) }.line();
        let path = workspace.path(layout::FLIGHT);
        for cut in 0..line.len() {
            std::fs::remove_file(&path).ok();
            append(&workspace, &record(0)).expect("writable");
            let mut file = OpenOptions::new().append(true).open(&path).expect("there");
            file.write_all(&line.as_bytes()[..cut]).expect("writable");
            append(&workspace, &record(2)).expect("writable");
            // Without its line end alone a record is whole.
            let expected: &[u64] = if cut + 1 == line.len() { &[0, 1, 2] } else { &[0, 2] };
            assert_eq!(numbers(&read(&workspace).expect("readable")), expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_reader_that_follows_misses_nothing_and_sees_nothing_twice() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let workspace = Workspace::at(folder.path());
        let (mut tail, first) = Tail::begin(&workspace).expect("readable");
        assert!(first.is_empty());
        // Between two looks up to two rotations happen.
        let per_file = MAX_BYTES as usize / record(0).line().len();
        let (mut written, mut seen) = (0, Vec::new());
        for batch in [1, 3, per_file, 0, per_file * 2 + 5, 1] {
            for _ in 0..batch {
                append(&workspace, &record(written)).expect("writable");
                written += 1;
            }
            seen.extend(numbers(&tail.poll().expect("readable")));
            assert_eq!(seen.len(), written);
        }
        assert!(seen.iter().zip(0..).all(|(number, expected)| *number == expected), "{seen:?}");
    }

    #[test]
    fn of_a_record_that_is_too_long_the_longest_figures_are_left_out() {
        let figures = [("a", "y".repeat(MAX_LINE_BYTES)), ("b", "z".repeat(MAX_LINE_BYTES)), ("c", "kept".to_owned())];
        let figures = figures.map(|(name, value)| (name.to_owned(), value.into())).into();
        let line = Record { figures, ..record(0) }.line();
        assert!(line.len() <= MAX_LINE_BYTES, "{}", line.len());
        let back: Record = serde_json::from_str(&line).expect("a record");
        let kept: BTreeMap<String, Value> = [("c".to_owned(), "kept".into()), ("omitted".to_owned(), 2.into())].into();
        assert_eq!(back.figures, kept);
    }
}
