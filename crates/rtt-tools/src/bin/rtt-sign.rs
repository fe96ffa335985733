//! `rtt-sign`: signs and verifies plans and other JSON documents, and manages the keys of a workspace.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use rtt_cli::{ToolOptions, tool_main};
use rtt_core::attest::dsse::Envelope;
use rtt_core::attest::{self, Added, Detached, Document};
use rtt_core::clock;
use rtt_core::diagnostic::{Diagnostic, Place};
use rtt_core::json;
use rtt_core::plan::source::{self, Source};
use rtt_core::schema::Schema;
use rtt_core::stage::{Context, Error, Report, Stage, Verdict};
use rtt_core::text::counted;
use rtt_core::trust::{self, InvalidKey, KeyId, PrivateKey, PublicKey, Requirements, TrustStore, keyring, signing_key};
use rtt_core::workspace::durable::{self, Mode};
use rtt_core::workspace::state;
use rtt_core::workspace::{self, Workspace, layout};
use serde_json::json;

#[derive(Args)]
struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    sign: Sign,
}

/// Without a command: sign.
#[derive(Args)]
struct Sign {
    /// The plan or other JSON document to sign [default: the plan that plans/LATEST names]
    #[arg(value_name = "PLAN")]
    file: Option<PathBuf>,
    /// The private key that signs, in PEM form [default: $RTT_SIGNING_KEY, else the workspace's own]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Leave the document as it is, and write the signatures into a file of their own [default: PLAN.sig]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    detached: Option<Option<PathBuf>>,
    /// Drop signatures that do not fit the document, or whose signers were revoked
    #[arg(long)]
    force: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Verify the signatures of a plan or another JSON document
    Verify {
        /// The document [default: the plan that plans/LATEST names]
        file: Option<PathBuf>,
        /// Signatures in a file of their own
        #[arg(long, value_name = "FILE", conflicts_with = "envelope")]
        detached: Option<PathBuf>,
        /// Signatures in a DSSE envelope
        #[arg(long, value_name = "FILE")]
        envelope: Option<PathBuf>,
        /// How many different signers there have to be [default: trust.threshold of the policy]
        #[arg(long, value_name = "N")]
        threshold: Option<usize>,
        /// Trust this public key, and not the workspace's; may be repeated
        #[arg(long = "key", value_name = "FILE")]
        keys: Vec<PathBuf>,
    },
    /// Write a DSSE envelope with an in-toto statement, for cosign and others; one that is there is cosigned
    Export {
        /// The document [default: the plan that plans/LATEST names]
        file: Option<PathBuf>,
        /// The envelope
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// The private key that signs
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// The keys of the workspace
    #[command(subcommand)]
    Keys(Keys),
}

#[derive(Subcommand)]
enum Keys {
    /// List trusted and revoked keys
    List,
    /// Make a key pair; the public half is trusted from now on
    New {
        /// The public key's file is called so, with .pub
        #[arg(value_parser = key_name)]
        name: String,
        /// Where the private key is written; it must not exist, and should not lie in .rtt/
        #[arg(long, value_name = "FILE")]
        private: PathBuf,
    },
    /// Trust a key no more: what it signed is refused
    Revoke {
        /// Its id, 16 hex digits
        #[arg(value_parser = key_id)]
        key: KeyId,
        /// Why, shown where something of it is refused
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Replace the signing key; the old one stays trusted, so that what it signed still verifies
    Rotate {
        /// Revoke the old key as well, so that what it signed is refused
        #[arg(long, value_name = "REASON")]
        revoke: Option<String>,
    },
}

fn key_name(text: &str) -> Result<String, String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@');
    let is_good = !text.is_empty() && text.len() <= 64 && text.bytes().all(is_name) && !text.starts_with('.');
    if is_good { Ok(text.to_owned()) } else { Err("expected letters, digits, '-', '_', '.' and '@'".to_owned()) }
}

fn key_id(text: &str) -> Result<KeyId, String> {
    KeyId::parse(text).ok_or_else(|| "expected 16 lower-case hex digits; rtt-sign keys list shows them".to_owned())
}

impl ToolOptions for Options {
    const NAME: &'static str = "rtt-sign";
    const ABOUT: &'static str = "Sign and verify plans and other JSON documents; manage keys";
    const EXIT_CODES: &'static [(&'static str, &'static str)] = &[("2", "signature or trust failure")];

    fn run(self, workspace: &Workspace, _context: &Context) -> Result<Report, Error> {
        let Some(command) = self.command else { return self.sign.run(workspace) };
        let Sign { file, key, detached, force } = self.sign;
        if file.is_some() || key.is_some() || detached.is_some() || force {
            let help = Some("write options of a command behind its name".to_owned());
            return Err(Error::Usage { message: "options of signing stand before a command".to_owned(), help });
        }
        match command {
            Command::Verify { file, detached, envelope, threshold, keys } => {
                verify(workspace, file.as_deref(), detached.as_deref(), envelope.as_deref(), threshold, &keys)
            }
            Command::Export { file, output, key } => export(workspace, file.as_deref(), &output, key.as_deref()),
            Command::Keys(Keys::List) => list_keys(workspace),
            Command::Keys(Keys::New { name, private }) => {
                let (key, file) = keyring::create(workspace, &name, &private)?;
                let mut report = Report::new(Verdict::Success, format!("New key {}", key.key_id()));
                report.details.push(format!("  sign with --key {}; {file} makes it trusted here", private.display()));
                report.outputs = vec![private.display().to_string(), file];
                Ok(report.figure("key", key.key_id().as_str()))
            }
            Command::Keys(Keys::Revoke { key, reason }) => revoke(workspace, &key, &reason),
            Command::Keys(Keys::Rotate { revoke }) => rotate(workspace, revoke.as_deref()),
        }
    }
}

impl Sign {
    fn run(self, workspace: &Workspace) -> Result<Report, Error> {
        let key = private_key(workspace, self.key.as_deref())?;
        let trust = TrustStore::read(workspace)?;
        // Two signers at once would each keep their own signature only.
        let _lock = keyring::lock(workspace)?;
        let (source, path) = read(workspace, self.file.as_deref())?;
        let mut document = parse(&source)?;
        let id = key.public().key_id();
        let before = document.value().clone();
        let (added, output, text) = match self.detached {
            Some(file) => {
                let file = file.unwrap_or_else(|| beside(&path));
                let mut detached = read_detached(&file)?.unwrap_or_else(|| Detached::of(document.value()));
                let added = detached.sign(document.value(), &key).map_err(|error| cannot_sign(&source.name, error))?;
                (added, file, json::pretty(&detached))
            }
            None => {
                let added =
                    document.sign(&key, &trust, self.force).map_err(|error| cannot_sign(&source.name, error))?;
                (added, path, json::pretty(document.value()))
            }
        };
        let has_dropped = *document.value() != before;
        let (verdict, done) = match added {
            Added::Present if has_dropped => (Verdict::Success, "Dropped what did not fit; signed already"),
            Added::Present => (Verdict::Unchanged, "Nothing changed: signed already"),
            Added::Signature => (Verdict::Success, "Signed"),
            Added::Cosignature => (Verdict::Success, "Cosigned"),
        };
        let mut report = Report::new(verdict, format!("{done} by {id}: {}", source.name)).figure("key", id.as_str());
        if verdict == Verdict::Success {
            durable::write_atomic(&output, text.as_bytes(), Mode::Public)
                .map_err(|source| workspace::Error::create(&output, source))?;
            report.outputs.push(workspace.relative(&output));
        }
        if trust.get(&id).is_none() {
            let finding = Diagnostic::warning("RTT-K008", format!("{id} is not a trusted key here"))
                .help(format!("to trust it, put its public half into {}", layout::KEYS));
            report.diagnostics.push(finding);
        }
        Ok(report)
    }
}

/// Where detached signatures of a document are written.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

/// The document to work on, and the file that holds it.
fn read(workspace: &Workspace, file: Option<&Path>) -> Result<(Source, PathBuf), Error> {
    match file {
        Some(file) if file != Path::new(layout::LATEST) || !workspace.path(layout::LATEST).exists() => {
            let missing = || Error::Missing {
                what: file.display().to_string(),
                help: "name an existing file, or leave it out to use the newest plan".to_owned(),
            };
            Ok((source::named(file)?.ok_or_else(missing)?, file.to_owned()))
        }
        _ => {
            let source =
                source::latest(workspace)?.ok_or(Error::NotRun { file: layout::LATEST, stage: Stage::Solver })?;
            let path = workspace.path(&source.name);
            Ok((source, path))
        }
    }
}

fn parse(source: &Source) -> Result<Document, Error> {
    json::parse_state(&source.bytes).map(Document::new).map_err(|error| Error::Invalid {
        message: format!("{} is not valid", source.name),
        diagnostics: vec![Diagnostic::unreadable_json("RTT-S001", &source.name, &source.bytes, &error)],
    })
}

fn read_detached(file: &Path) -> Result<Option<Detached>, Error> {
    let Some(source) = source::named(file)? else { return Ok(None) };
    Ok(Some(state::parse(&source.name, &source.bytes, Schema::Signatures)?.value))
}

fn read_envelope(file: &Path) -> Result<Option<Envelope>, Error> {
    let Some(source) = source::named(file)? else { return Ok(None) };
    let document = parse(&source)?;
    serde_json::from_value(document.value().clone()).map(Some).map_err(|error| {
        let message = format!("{} is not a DSSE envelope: {error}", source.name);
        let finding = Diagnostic::error("RTT-S003", message.clone()).at(Place::file(&source.name));
        Error::Invalid { message, diagnostics: vec![finding] }
    })
}

fn private_key(workspace: &Workspace, file: Option<&Path>) -> Result<PrivateKey, Error> {
    signing_key(workspace, file)?.ok_or_else(|| Error::Missing {
        what: "a signing key".to_owned(),
        help: format!("give --key FILE, set $RTT_SIGNING_KEY, or run {}", Stage::Bootstrap.executable()),
    })
}

fn cannot_sign(file: &str, error: attest::Error) -> Error {
    let help = match &error {
        attest::Error::NoObject => "sign it with --detached",
        attest::Error::NoCanonicalForm(_) => "write the number as a string",
        attest::Error::Plan(_) => "make the plan again: rtt-40-solver --force",
        attest::Error::Refused(_) => "find out who changed or revoked what; --force drops such signatures",
        attest::Error::OtherDocument { .. } | attest::Error::Envelope(_) => "remove the old file, or name another one",
    };
    let message = format!("{file} cannot be signed: {error}");
    let finding = Diagnostic::error("RTT-K007", message.clone()).at(Place::file(file)).help(help);
    Error::Invalid { message, diagnostics: vec![finding] }
}

fn verify(
    workspace: &Workspace,
    file: Option<&Path>,
    detached: Option<&Path>,
    envelope: Option<&Path>,
    threshold: Option<usize>,
    keys: &[PathBuf],
) -> Result<Report, Error> {
    let trust = if keys.is_empty() { TrustStore::read(workspace)? } else { TrustStore::of(public_keys(keys)?) };
    let mut requirements = Requirements::read(workspace)?;
    requirements.threshold = threshold.unwrap_or(requirements.threshold);
    let (source, _) = read(workspace, file)?;
    let document = parse(&source)?;
    let missing = |file: &Path| Error::Missing {
        what: file.display().to_string(),
        help: "name the file that rtt-sign wrote".to_owned(),
    };
    let verified = match (detached, envelope) {
        (Some(file), _) => {
            let detached = read_detached(file)?.ok_or_else(|| missing(file))?;
            detached.verify(document.value(), &trust, requirements.threshold)
        }
        (None, Some(file)) => {
            let envelope = read_envelope(file)?.ok_or_else(|| missing(file))?;
            envelope.verify(&document, &trust, requirements.threshold)
        }
        (None, None) => document.verify(&trust, requirements, clock::now()),
    };
    let name = &source.name;
    match verified {
        Ok(signers) => {
            let list: Vec<String> = signers.iter().map(ToString::to_string).collect();
            let headline = format!("{name} is signed by {}", list.join(", "));
            Ok(Report::new(Verdict::Success, headline).figure("signers", list))
        }
        Err(error) => {
            let what = if document.is_plan() { "Plan signature verification failed" } else { "Not trusted" };
            let message = format!("{what}: {error}");
            let finding = Diagnostic::error("RTT-A002", message.clone()).at(Place::file(name));
            let mut report = Report::new(Verdict::Untrusted, message);
            report.diagnostics.push(finding.help("rtt-sign keys list shows who is trusted"));
            Ok(report)
        }
    }
}

fn public_keys(files: &[PathBuf]) -> Result<Vec<PublicKey>, Error> {
    let read = |path: &PathBuf| -> Result<PublicKey, Error> {
        let origin = path.display().to_string();
        let text = std::fs::read(path).map_err(|source| workspace::Error::read(path, source))?;
        let key = PublicKey::from_pem(&String::from_utf8_lossy(&text));
        Ok(key.map_err(|reason: InvalidKey| trust::Error::Key { origin, reason })?)
    };
    files.iter().map(read).collect()
}

fn export(workspace: &Workspace, file: Option<&Path>, output: &Path, key: Option<&Path>) -> Result<Report, Error> {
    let key = private_key(workspace, key)?;
    let _lock = keyring::lock(workspace)?;
    let (source, _) = read(workspace, file)?;
    let document = parse(&source)?;
    if document.is_plan() {
        document.signed_bytes().map_err(|error| cannot_sign(&source.name, error))?;
    }
    let new = Envelope::about(&document, &source.name, &source.bytes);
    let mut envelope = match read_envelope(output)? {
        Some(old) if old.payload == new.payload && old.payload_type == new.payload_type => old,
        Some(_) => {
            let other = attest::Error::Envelope(format!("{} is about something else", output.display()));
            return Err(cannot_sign(&source.name, other));
        }
        None => new,
    };
    let added = envelope.sign(&key).map_err(|error| cannot_sign(&source.name, error))?;
    let id = key.public().key_id();
    let verdict = if added == Added::Present { Verdict::Unchanged } else { Verdict::Success };
    let mut report = Report::new(
        verdict,
        format!(
            "{} says what {} is, signed by {}",
            output.display(),
            source.name,
            counted(envelope.signatures.len(), "key")
        ),
    );
    if added != Added::Present {
        durable::write_atomic(output, json::pretty(&envelope).as_bytes(), Mode::Public)
            .map_err(|source| workspace::Error::create(output, source))?;
        report.outputs.push(output.display().to_string());
    }
    Ok(report.figure("key", id.as_str()).figure("signatures", envelope.signatures.len()))
}

fn list_keys(workspace: &Workspace) -> Result<Report, Error> {
    let keys = keyring::list(workspace)?;
    let trusted = keys.iter().filter(|key| key.revoked.is_none()).count();
    let headline = format!("{}, {} of them trusted", counted(keys.len(), "key"), trusted);
    let mut report = Report::new(Verdict::Success, headline).figure("trusted", trusted);
    for key in &keys {
        let state = match (&key.revoked, key.is_signer) {
            (Some(reason), _) if reason.is_empty() => "revoked".to_owned(),
            (Some(reason), _) => format!("revoked: {reason}"),
            (None, true) => "signs here".to_owned(),
            (None, false) => "trusted".to_owned(),
        };
        report.details.push(format!("  {} {} ({state})", key.key, key.file.as_deref().unwrap_or("without a file")));
    }
    let list = keys
        .iter()
        .map(|key| json!({"key": key.key.as_str(), "file": key.file, "revoked": key.revoked, "signs": key.is_signer}));
    Ok(report.figure("keys", list.collect::<Vec<_>>()))
}

fn revoke(workspace: &Workspace, key: &KeyId, reason: &str) -> Result<Report, Error> {
    let is_new = keyring::revoke(workspace, key, reason)?;
    let (verdict, headline) = match is_new {
        true => (Verdict::Success, format!("Revoked {key}: what it signed is refused")),
        false => (Verdict::Unchanged, format!("Nothing changed: {key} was revoked already")),
    };
    let mut report = Report::new(verdict, headline).figure("key", key.as_str());
    report.diagnostics = consequences(workspace, key)?;
    report.outputs.extend(is_new.then(|| layout::REVOKED.to_owned()));
    Ok(report)
}

/// What else rests on a key that was revoked.
fn consequences(workspace: &Workspace, key: &KeyId) -> Result<Vec<Diagnostic>, Error> {
    let mut findings = Vec::new();
    if TrustStore::read(workspace)?.signers().next().is_none() {
        let finding = Diagnostic::warning("RTT-K009", "nobody is trusted any more: every plan is refused");
        findings.push(finding.help("add a public key, or make one: rtt-sign keys new NAME --private FILE"));
    }
    let checkpoint = workspace.read_optional(layout::WAL_CHECKPOINT)?.unwrap_or_default();
    if String::from_utf8_lossy(&checkpoint).contains(&format!("ed25519:{key}:")) {
        let finding = Diagnostic::warning("RTT-K010", "the log of applies rests on a checkpoint that this key signed")
            .at(Place::file(layout::WAL_CHECKPOINT))
            .help("stage 50 refuses the log now; trust the key again, run rtt-50-apply --keep with another key, then revoke it");
        findings.push(finding);
    }
    Ok(findings)
}

fn rotate(workspace: &Workspace, revoked: Option<&str>) -> Result<Report, Error> {
    let rotated = keyring::rotate(workspace)?;
    let mut report = Report::new(Verdict::Success, format!("Plans are signed by {} from now on", rotated.new))
        .figure("old", rotated.old.as_str())
        .figure("new", rotated.new.as_str());
    report.outputs = vec![layout::PRIVATE_KEY.to_owned(), layout::PUBLIC_KEY.to_owned(), rotated.old_file.clone()];
    if let Some(reason) = revoked {
        keyring::revoke(workspace, &rotated.old, reason)?;
        report.details.push(format!(
            "  {} was revoked: what it signed is refused; sign it again with rtt-sign --force",
            rotated.old
        ));
        report.diagnostics = consequences(workspace, &rotated.old)?;
        report.outputs.push(layout::REVOKED.to_owned());
    } else {
        report.details.push(format!("  {} stays trusted as {}", rotated.old, rotated.old_file));
    }
    Ok(report)
}

fn main() -> ExitCode {
    tool_main::<Options>()
}
