//! The flight recorder, `.rtt/telemetry/flight.ndjson`: one JSON object a line, appended under a lock.
//!
//! It is bounded: beyond [`MAX_BYTES`] the file becomes `flight.1.ndjson` and so on, [`KEPT_FILES`] in all.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::workspace::lock::ExclusiveLock;
use crate::workspace::{Error, Workspace, durable, layout};

/// The size beyond which a file is rotated, in bytes.
pub const MAX_BYTES: u64 = 1 << 20;
/// How many files are kept, the current one included.
pub const KEPT_FILES: usize = 4;

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
    durable::remove_unfinished(&workspace.path(layout::TELEMETRY)).map_err(failed)?;
    let mut line = serde_json::to_string(record).expect("string keys and finite numbers");
    line.push('\n');
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
    let mut records = Vec::new();
    for number in (0..KEPT_FILES).rev() {
        let bytes = workspace.read_optional(layout::flight_file(number))?.unwrap_or_default();
        records
            .extend(bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Record>(line).ok()));
    }
    Ok(records)
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
}
