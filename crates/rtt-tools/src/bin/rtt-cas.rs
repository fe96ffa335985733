//! `rtt-cas`: keeps agents and other files by their content, and moves them between machines.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use rtt_cli::{ToolOptions, tool_main};
use rtt_core::digest::Digest;
use rtt_core::stage::{Context, Error, Report, Verdict};
use rtt_core::store::archive::{self, Limits};
use rtt_core::store::{self, Clash, Outcome, Reference, Role, Store, garbage, ingest};
use rtt_core::symbol::InstanceId;
use rtt_core::text::counted;
use rtt_core::workspace::durable::{Mode, Replacement};
use rtt_core::workspace::{self, Workspace, layout};
use serde_json::json;

#[derive(Args)]
#[command(arg_required_else_help = true)]
struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    /// Threads to use [default: all cores]
    #[arg(long, value_name = "N", global = true)]
    jobs: Option<NonZeroUsize>,
}

#[derive(Subcommand)]
enum Command {
    /// Store files; agents under the names that they declare
    Ingest(Ingest),
    /// Print an object
    Get {
        /// name@version, sha256: and 64 hex digits, or the first of them
        #[arg(value_name = "REF")]
        reference: String,
        /// Write it into a file instead
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// List objects and their names
    Ls,
    /// Compare every object with its name
    Verify,
    /// Take names out of the index; their objects stay until gc
    Forget {
        /// The names
        #[arg(value_name = "NAME@VERSION", required = true)]
        names: Vec<InstanceId>,
    },
    /// Remove objects that neither the index nor plans nor the log of applies refer to
    Gc {
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
    },
    /// Write an archive of the store, or of some objects
    Pack {
        /// The archive; - for stdout
        file: PathBuf,
        /// Only these objects and their names
        #[arg(value_name = "REF")]
        references: Vec<String>,
    },
    /// Read an archive into the store: all of it or nothing
    Unpack {
        /// The archive; - for stdin
        file: PathBuf,
        /// Let names stand for the archive's objects, also where they stand for others
        #[arg(long)]
        force: bool,
        /// The most that its objects may have together
        #[arg(long, value_name = "BYTES", default_value_t = Limits::default().bytes)]
        max_bytes: u64,
    },
}

#[derive(Args)]
struct Ingest {
    /// The files
    #[arg(value_name = "FILE", required_unless_present = "files_from")]
    files: Vec<PathBuf>,
    /// Read further names of files from a file, one a line; - for stdin
    #[arg(long, value_name = "FILE")]
    files_from: Option<PathBuf>,
    /// Store one file as a document of this name, whatever it holds
    #[arg(long, value_name = "NAME@VERSION", conflicts_with = "files_from")]
    name: Option<InstanceId>,
    /// Let names stand for the new objects, also where they stand for others
    #[arg(long)]
    force: bool,
}

impl ToolOptions for Options {
    const NAME: &'static str = "rtt-cas";
    const ABOUT: &'static str = "Keep agents and other files by their content";
    const EXIT_CODES: &'static [(&'static str, &'static str)] = &[("1", "verify: an object is not what its name says")];

    fn run(self, workspace: &Workspace, context: &Context) -> Result<Report, Error> {
        if let Some(jobs) = self.jobs {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.get()).use_current_thread().build_global();
            pool.expect("the pool is built once, before anything uses it");
        }
        let store = Store::of(workspace);
        let Some(command) = self.command else {
            let help = Some("rtt-cas --help lists the commands".to_owned());
            return Err(Error::Usage { message: "no command was given".to_owned(), help });
        };
        match command {
            Command::Ingest(options) => options.run(&store, context),
            Command::Get { reference, output } => get(&store, &reference, output.as_deref()),
            Command::Ls => list(&store),
            Command::Verify => verify(&store, context),
            Command::Forget { names } => forget(&store, &names),
            Command::Gc { dry_run } => collect_garbage(&store, dry_run),
            Command::Pack { file, references } => pack(&store, &file, &references, context),
            Command::Unpack { file, force, max_bytes } => unpack(&store, &file, force, max_bytes, context),
        }
    }
}

fn clash(force: bool) -> Clash {
    if force { Clash::Replace } else { Clash::Refuse }
}

/// How many lines about single objects are printed for people; `ls` prints all.
const SHOWN: usize = 20;

fn shown(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines
}

impl Ingest {
    fn run(mut self, store: &Store, context: &Context) -> Result<Report, Error> {
        if let Some(list) = &self.files_from {
            let text = std::io::read_to_string(open(list)?).map_err(|source| workspace::Error::read(list, source))?;
            self.files.extend(text.lines().filter(|line| !line.is_empty()).map(PathBuf::from));
        }
        if self.name.is_some() && self.files.len() != 1 {
            let message = format!("--name names one file, not {}", self.files.len());
            return Err(Error::Usage { message, help: Some("ingest the files one by one".to_owned()) });
        }
        let request = ingest::Request { files: self.files, name: self.name, clash: clash(self.force) };
        let ingested = ingest::ingest(store, &request, context.progress)?;
        let count = |outcome| ingested.stored.iter().filter(|stored| stored.outcome == outcome).count();
        let (added, repaired) = (count(Outcome::Added), count(Outcome::Repaired));
        let is_refused =
            ingested.findings.iter().any(|finding| finding.severity == rtt_core::diagnostic::Severity::Error);
        let files = counted(request.files.len(), "file");
        let (verdict, headline) = if is_refused {
            (Verdict::InvalidInput, format!("Nothing was stored of {files}: not all of them can be"))
        } else if added + repaired + ingested.names == 0 {
            (Verdict::Unchanged, format!("Nothing changed: {files} were stored already"))
        } else {
            let objects = counted(ingested.stored.len(), "object");
            let parts = format!("{added} new, {repaired} repaired, {}", counted(ingested.names, "new name"));
            (Verdict::Success, format!("Stored {objects} of {files}: {parts}"))
        };
        let mut report = Report::new(verdict, headline)
            .figure("files", request.files.len())
            .figure("objects", ingested.stored.len())
            .figure("added", added)
            .figure("repaired", repaired)
            .figure("names", ingested.names);
        if !is_refused {
            let line = |stored: &ingest::Stored| {
                let name = stored.name.as_ref().map_or_else(|| stored.file.clone(), ToString::to_string);
                let outcome = match stored.outcome {
                    Outcome::Added => "",
                    Outcome::Present => " (was there)",
                    Outcome::Repaired => " (repaired)",
                };
                format!("  {} {name}{outcome}", stored.digest.hex())
            };
            report.details = shown(ingested.stored.iter().take(SHOWN + 1).map(line).collect());
            if ingested.stored.len() > SHOWN {
                report.details[SHOWN] = format!("  and {} more", ingested.stored.len() - SHOWN);
            }
        }
        report.diagnostics = ingested.findings;
        Ok(report)
    }
}

fn get(store: &Store, reference: &str, output: Option<&Path>) -> Result<Report, Error> {
    let object = store.find(&Reference::parse(reference)?)?;
    let size = object.content().len();
    let mut report =
        Report::new(Verdict::Success, format!("{} of {size} bytes", object.digest())).figure("bytes", size);
    match output {
        None => report.content = Some(object.into_content()),
        Some(path) => {
            let failed = |source| workspace::Error::create(path, source);
            let mut file = Replacement::of(path, Mode::Public).map_err(failed)?;
            file.write_all(object.content()).map_err(failed)?;
            file.commit().map_err(failed)?;
            report.outputs.push(path.display().to_string());
        }
    }
    Ok(report)
}

fn list(store: &Store) -> Result<Report, Error> {
    let index = store.index()?;
    let names = index.names();
    let objects = store.list()?.objects;
    let mut lines = String::new();
    let mut entries = Vec::new();
    for entry in &objects {
        let size = std::fs::symlink_metadata(store.workspace().path(entry.file())).map_or(0, |metadata| metadata.len());
        let names: Vec<String> = names.get(&entry.digest).into_iter().flatten().map(ToString::to_string).collect();
        lines.push_str(&format!("{} {:<5} {size:>10}  {}\n", entry.digest.hex(), entry.kind, names.join(" ")));
        entries
            .push(json!({"sha256": entry.digest.hex(), "kind": entry.kind.to_string(), "bytes": size, "names": names}));
    }
    let mut report = Report::new(
        Verdict::Success,
        format!("{}, {}", counted(objects.len(), "object"), counted(index.iter().count(), "name")),
    )
    .figure("objects", objects.len())
    .figure("names", index.iter().count())
    .figure("agents", index.iter().filter(|(role, ..)| *role == Role::Agent).count())
    .figure("list", entries);
    report.body = (!objects.is_empty()).then_some(lines);
    Ok(report)
}

fn verify(store: &Store, context: &Context) -> Result<Report, Error> {
    let verification = store::verify(store, context.progress)?;
    let objects = counted(verification.objects, "object");
    let errors =
        verification.findings.iter().filter(|one| one.severity == rtt_core::diagnostic::Severity::Error).count();
    let (verdict, headline) = match errors {
        0 => (Verdict::Success, format!("{objects} of {} bytes are what their names say", verification.bytes)),
        _ => (Verdict::CheckFailed, format!("The store is damaged: {}", counted(errors, "problem"))),
    };
    let mut report = Report::new(verdict, headline)
        .figure("objects", verification.objects)
        .figure("bytes", verification.bytes)
        .figure("altered", verification.altered);
    report.diagnostics = verification.findings;
    Ok(report)
}

fn forget(store: &Store, names: &[InstanceId]) -> Result<Report, Error> {
    let mut writer = store.write()?;
    for name in names {
        writer.forget(name).ok_or_else(|| store::Error::Unknown(Reference::Name(name.clone())))?;
    }
    writer.commit()?;
    let mut report = Report::new(Verdict::Success, format!("Forgot {}", counted(names.len(), "name")));
    report.outputs.push(layout::STORE_INDEX.to_owned());
    Ok(report.figure("names", names.len()))
}

fn collect_garbage(store: &Store, dry_run: bool) -> Result<Report, Error> {
    let mut writer = store.write()?;
    let garbage = garbage::find(&writer)?;
    let objects = counted(garbage.objects.len(), "object");
    let headline = if dry_run {
        format!("Would remove {objects} of {} bytes; {} stay", garbage.bytes, garbage.kept)
    } else {
        writer.remove(&garbage.objects)?;
        format!("Removed {objects} of {} bytes; {} stay", garbage.bytes, garbage.kept)
    };
    let verdict = if garbage.objects.is_empty() { Verdict::Unchanged } else { Verdict::Success };
    let mut report = Report::new(verdict, headline)
        .figure("removed", if dry_run { 0 } else { garbage.objects.len() })
        .figure("garbage", garbage.objects.len())
        .figure("bytes", garbage.bytes)
        .figure("kept", garbage.kept);
    report.details = shown(garbage.objects.iter().map(|entry| format!("  {}", entry.file())).collect());
    Ok(report)
}

fn pack(store: &Store, file: &Path, references: &[String], context: &Context) -> Result<Report, Error> {
    let wanted = references
        .iter()
        .map(|reference| store.resolve(&Reference::parse(reference)?))
        .collect::<Result<Vec<Digest>, store::Error>>()?;
    let wanted = (!references.is_empty()).then_some(wanted);
    let failed = |source| Error::from(workspace::Error::create(file, source));
    let is_stdout = file == Path::new("-");
    let (packed, is_same) = if is_stdout {
        let mut out = BufWriter::with_capacity(1 << 18, std::io::stdout().lock());
        let packed = archive::pack(store, wanted.as_deref(), &mut out, context.progress)?.map_err(failed)?;
        out.flush().map_err(failed)?;
        (packed, false)
    } else {
        let mut out = BufWriter::with_capacity(1 << 18, Replacement::of(file, Mode::Public).map_err(failed)?);
        let packed = archive::pack(store, wanted.as_deref(), &mut out, context.progress)?.map_err(failed)?;
        let out = out.into_inner().map_err(|error| failed(error.into_error()))?;
        (packed, !out.commit().map_err(failed)?)
    };
    let verdict = if is_same { Verdict::Unchanged } else { Verdict::Success };
    let (objects, names) = (counted(packed.objects, "object"), counted(packed.names, "name"));
    let mut report = Report::new(verdict, format!("Packed {objects} of {} bytes and {names}", packed.bytes))
        .figure("objects", packed.objects)
        .figure("bytes", packed.bytes)
        .figure("names", packed.names);
    if is_stdout {
        // The archive was the output.
        report.content = Some(Vec::new());
    } else {
        report.outputs.push(file.display().to_string());
    }
    Ok(report)
}

fn unpack(store: &Store, file: &Path, force: bool, max_bytes: u64, context: &Context) -> Result<Report, Error> {
    let limits = Limits { bytes: max_bytes, ..Limits::default() };
    let input = BufReader::with_capacity(1 << 18, open(file)?);
    let name = file.display().to_string();
    let unpacked = match archive::unpack(store, &name, input, limits, clash(force), context.progress)? {
        Ok(unpacked) => unpacked,
        Err(finding) => {
            let mut report =
                Report::new(Verdict::InvalidInput, format!("{name} was refused; nothing of it was stored"));
            report.diagnostics.push(*finding);
            return Ok(report);
        }
    };
    let is_same = unpacked.added + unpacked.repaired + unpacked.names == 0;
    let verdict = if is_same { Verdict::Unchanged } else { Verdict::Success };
    let parts =
        format!("{} new, {} repaired, {}", unpacked.added, unpacked.repaired, counted(unpacked.names, "new name"));
    Ok(Report::new(verdict, format!("Unpacked {}: {parts}", counted(unpacked.objects, "object")))
        .figure("objects", unpacked.objects)
        .figure("added", unpacked.added)
        .figure("repaired", unpacked.repaired)
        .figure("names", unpacked.names))
}

fn open(file: &Path) -> Result<Box<dyn Read>, Error> {
    if file == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    match File::open(file) {
        Ok(opened) => Ok(Box::new(opened)),
        Err(source) => Err(workspace::Error::read(file, source).into()),
    }
}

fn main() -> ExitCode {
    tool_main::<Options>()
}
