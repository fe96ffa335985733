//! `rtt-mcp-ingest`: MCP servers become agents. Reads lists of tools, asks live servers, writes manifests into
//! `.rtt/manifests/`, and pins what their tools said.

mod config;
pub mod names;
mod pins;
mod report;
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rtt_core::diagnostic::{self, Diagnostic, Place, Severity};
use rtt_core::json;
use rtt_core::manifest::{self, Manifest};
use rtt_core::stage::{Context, Error, Report};
use rtt_core::store::{self, Clash, Role, Store};
use rtt_core::telemetry::trace::{Span, TRACEPARENT};
use rtt_core::workspace::lock::ExclusiveLock;
use rtt_core::workspace::{self, Workspace, durable, layout};
use serde_json::{Map, Value, json};

use self::config::{Entry, Kind, Secrets};
use self::pins::{Difference, Pins};
use self::server::{Identity, Listed, Server};
use crate::mcp::{Failure, Interrupt, Launch, Listing, list_tools};

/// How many lines of a server's error output are shown.
const SHOWN_STDERR: usize = 12;
/// How much of each, in characters.
const SHOWN_LINE: usize = 200;
/// The rule of a server that could not be asked.
const NOT_ASKED: &str = "RTT-I008";

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whose servers these are.
    pub provider: String,
    /// Where they come from.
    pub source: Source,
    /// What the server is called, where that is not what it calls itself.
    pub server: Option<String>,
    /// How long a server may take for everything.
    pub timeout: Duration,
    /// Take definitions that changed.
    pub accept: bool,
    /// Remove the agents of servers that the configuration names no more.
    pub prune: bool,
    /// Only look.
    pub dry_run: bool,
}

/// Where servers come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Files that hold lists of tools.
    Files(Vec<PathBuf>),
    /// A command that starts one.
    Stdio(Vec<String>),
    /// A client configuration.
    Config(PathBuf),
}

/// One server, or why there is none.
struct Asked {
    server: Option<Server>,
    findings: Vec<Diagnostic>,
}

/// Reads or asks the servers and writes a manifest for each.
///
/// A server whose tools are defined otherwise than before is left as it was, unless that is accepted; so is one that cannot be
/// asked. The others are written.
///
/// # Errors
/// [`Error::Missing`] for a file that does not exist, [`Error::Workspace`] if something cannot be read or written,
/// [`Error::Invalid`] if the pins are.
pub fn run(workspace: &Workspace, request: &Request, context: &Context) -> Result<Report, Error> {
    let mut findings = Vec::new();
    let mut servers = match &request.source {
        Source::Files(files) => from_files(workspace, request, files, &mut findings)?,
        Source::Stdio(command) => from_command(request, command, &mut findings)?,
        Source::Config(file) => from_config(workspace, request, file, context, &mut findings)?,
    };
    servers.retain(|server| is_sound(server, &mut findings));
    refuse_duplicates(&mut servers, &mut findings);

    let lock_file = workspace.path(layout::MCP_PINS_LOCK);
    let lock = if request.dry_run { None } else { Some(lock(&lock_file)?) };
    let before = Pins::read(workspace)?;
    let mut pins = before.clone();
    let mut outcome = report::Outcome::new(request.dry_run);
    let mut taken = Vec::new();
    for server in &servers {
        let earlier = earlier(workspace, server)?;
        let difference = pins.compare(server, earlier.iter().flat_map(|manifest| manifest.provides.methods.keys()));
        findings.extend(report::findings(server, earlier.as_ref(), &difference, request.accept));
        let is_taken = difference.changed.is_empty() || request.accept;
        let is_same = workspace.read_optional(server.path())?.as_deref() == Some(server.text().as_bytes());
        if is_taken {
            pins.take(server);
            if !is_same && !request.dry_run {
                workspace.write(server.path(), server.text().as_bytes())?;
            }
            taken.push(server);
        }
        outcome.count(server, &difference, is_taken, is_same);
    }
    if matches!(request.source, Source::Config(_)) {
        gone(workspace, request, &mut pins, &servers, &mut findings, &mut outcome)?;
    }
    if pins != before && !request.dry_run {
        pins.write(workspace)?;
        outcome.written.push(layout::MCP_PINS.to_owned());
    }
    if !request.dry_run {
        keep(workspace, &taken)?;
    }
    drop(lock);
    diagnostic::sort(&mut findings);
    Ok(outcome.report(findings))
}

fn lock(path: &Path) -> Result<ExclusiveLock, workspace::Error> {
    let failed = |source| workspace::Error::create(path, source);
    durable::create_dir_all(path.parent().expect("it lies in a folder")).map_err(failed)?;
    ExclusiveLock::acquire(path).map_err(failed)
}

fn read_file(workspace: &Workspace, path: &Path) -> Result<(String, Vec<u8>), Error> {
    let shown = workspace.relative(path);
    match std::fs::read(path) {
        Ok(bytes) => Ok((shown, bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::Missing {
            what: shown,
            help: "name a file that holds the answer to tools/list, or --config and a client configuration".to_owned(),
        }),
        Err(source) => Err(workspace::Error::read(path, source).into()),
    }
}

fn from_files(
    workspace: &Workspace,
    request: &Request,
    files: &[PathBuf],
    findings: &mut Vec<Diagnostic>,
) -> Result<Vec<Server>, Error> {
    let mut servers = Vec::new();
    for path in files {
        let (file, bytes) = read_file(workspace, path)?;
        for Listed { name, manifest, about } in server::read_lists(&file, &bytes, findings) {
            let name = request.server.as_deref().unwrap_or(&name);
            let identity = Identity { provider: &request.provider, name };
            match Server::new(identity, manifest, about) {
                Ok(server) => servers.push(server),
                Err(finding) => findings.push(finding.at(Place::file(&file))),
            }
        }
    }
    Ok(servers)
}

fn from_command(request: &Request, command: &[String], findings: &mut Vec<Diagnostic>) -> Result<Vec<Server>, Error> {
    let interrupt = interrupt()?;
    let launch = Launch { command: command.to_vec(), env: BTreeMap::new(), current_dir: None };
    let asked = ask(request, request.server.as_deref(), &launch, command, &Secrets::default(), &interrupt);
    findings.extend(asked.findings);
    interrupt.follow();
    Ok(asked.server.into_iter().collect())
}

fn from_config(
    workspace: &Workspace,
    request: &Request,
    path: &Path,
    context: &Context,
    findings: &mut Vec<Diagnostic>,
) -> Result<Vec<Server>, Error> {
    let (file, bytes) = read_file(workspace, path)?;
    let entries = config::read(&file, &bytes, &|name| std::env::var(name).ok(), findings);
    let interrupt = interrupt()?;
    let mut servers = Vec::new();
    context.progress.start("Asking servers", entries.len() as u64);
    for Entry { name, place, kind } in entries {
        let asked = match &kind {
            Kind::Stdio(started) => {
                ask(request, Some(&name), &started.launch, &started.command, &started.secrets, &interrupt)
            }
            Kind::Remote(remote) => remote_server(request, &name, remote),
        };
        findings.extend(asked.findings.into_iter().map(|finding| match finding.place {
            None => finding.at(place.clone()),
            Some(_) => finding,
        }));
        servers.extend(asked.server);
        context.progress.advance(1);
    }
    context.progress.finish();
    interrupt.follow();
    Ok(servers)
}

fn interrupt() -> Result<Interrupt, Error> {
    Interrupt::on_signals().map_err(|error| Error::Internal(format!("signals cannot be noted: {error}")))
}

/// Starts a server and makes an agent of it. `command` is what its manifest says, `launch` how it is started here.
fn ask(
    request: &Request,
    name: Option<&str>,
    launch: &Launch,
    command: &[String],
    secrets: &Secrets,
    interrupt: &Interrupt,
) -> Asked {
    let mut launch = launch.clone();
    if let Some(span) = Span::begin(|name| std::env::var(name).ok()) {
        launch.env.entry(TRACEPARENT.to_owned()).or_insert_with(|| span.traceparent());
    }
    log::info!("Asking {}", name.unwrap_or(&command[0]));
    let listing = match list_tools(&launch, request.timeout, interrupt) {
        Ok(listing) => listing,
        Err(failure) => return Asked { server: None, findings: vec![not_asked(name, command, &failure, secrets)] },
    };
    let mut findings = Vec::new();
    let server = agent(request, name, &launch, command, secrets, listing, &mut findings);
    Asked { server, findings }
}

fn agent(
    request: &Request,
    name: Option<&str>,
    launch: &Launch,
    command: &[String],
    secrets: &Secrets,
    listing: Listing,
    findings: &mut Vec<Diagnostic>,
) -> Option<Server> {
    let shown = name.unwrap_or(&command[0]).to_owned();
    if !listing.offers_tools || listing.tools.is_empty() {
        findings.push(Diagnostic::warning("RTT-I006", format!("server '{shown}' offers no tools")));
    }
    // Read as what a user would have saved, so that a live server means what its list in a file means.
    let document = json!({"result": {"serverInfo": listing.server, "tools": listing.tools}});
    let own = document["result"]["serverInfo"]["name"].as_str().filter(|own| !own.is_empty());
    let Some(name) = name.or(own) else {
        findings.push(
            Diagnostic::error("RTT-I001", format!("the server '{shown}' does not say what it is called"))
                .help("give it a name: --server NAME"),
        );
        return None;
    };
    let text = json::pretty(&document);
    let Listed { mut manifest, mut about, .. } =
        server::read_lists(&format!("tools/list of {name}"), text.as_bytes(), findings).pop()?;
    manifest.endpoint.stdio = Some(command.to_vec());
    about.insert("revision".to_owned(), listing.revision.into());
    let variables: Vec<&String> = launch.env.keys().filter(|name| *name != TRACEPARENT).collect();
    if !variables.is_empty() {
        about.insert("env".to_owned(), json!(variables));
    }
    let server = Server::new(Identity { provider: &request.provider, name }, manifest, about)
        .map_err(|finding| findings.push(*finding))
        .ok()?;
    if let Some(variable) = secrets.found_in(&server.text()) {
        findings.push(
            Diagnostic::error("RTT-I007", format!("the manifest of '{name}' would hold the value of {variable}"))
                .help("let the server read it from its environment alone; nothing was written"),
        );
        return None;
    }
    Some(server)
}

/// A server that listens somewhere is known by its address alone.
fn remote_server(request: &Request, name: &str, remote: &Map<String, Value>) -> Asked {
    let document = json!({"mcpServers": {name: remote}});
    let reading = manifest::read(name, document.to_string().as_bytes());
    let mut findings: Vec<Diagnostic> =
        reading.diagnostics.into_iter().map(|finding| Diagnostic { place: None, ..finding }).collect();
    findings.push(
        Diagnostic::warning(
            "RTT-I005",
            format!("the tools of '{name}' are not known: only servers over stdio are asked"),
        )
        .help(format!("save its answer to tools/list and ingest that: rtt-mcp-ingest PROVIDER FILE --server '{name}'")),
    );
    let made = reading
        .manifests
        .into_iter()
        .next()
        .map(|sourced| Server::new(Identity { provider: &request.provider, name }, sourced.manifest, Map::new()));
    let server = made.and_then(|made| made.map_err(|finding| findings.push(*finding)).ok());
    Asked { server, findings }
}

/// Says why a server could not be asked, with what it said itself.
fn not_asked(name: Option<&str>, command: &[String], failure: &Failure, secrets: &Secrets) -> Diagnostic {
    let name = name.unwrap_or(&command[0]);
    let message = secrets.redact(&format!("the server '{name}' could not be asked: {failure}"));
    let mut finding = Diagnostic::error(NOT_ASKED, message);
    let redacted = secrets.redact(failure.stderr());
    let lines: Vec<&str> = redacted.lines().filter(|line| !line.trim().is_empty()).collect();
    for line in &lines[lines.len().saturating_sub(SHOWN_STDERR)..] {
        let shown: String = line.trim_end().chars().take(SHOWN_LINE).collect();
        finding = finding.help(format!("stderr: {shown}"));
    }
    finding.help(match failure {
        Failure::Start { .. } => "check that the program is installed and on the PATH",
        Failure::TimedOut { .. } => {
            "give it more time with --timeout, or run the command by hand to see what it waits for"
        }
        _ => "run the command by hand to see what it says",
    })
}

/// Tells whether stage 10 will take a server's manifest, and says what it will say.
fn is_sound(server: &Server, findings: &mut Vec<Diagnostic>) -> bool {
    let said = server.check();
    let is_sound = said.iter().all(|finding| finding.severity != Severity::Error);
    findings.extend(said);
    is_sound
}

fn refuse_duplicates(servers: &mut Vec<Server>, findings: &mut Vec<Diagnostic>) {
    let mut seen = BTreeSet::new();
    servers.retain(|server| {
        let is_first = seen.insert(server.manifest.symbol.clone());
        if !is_first {
            findings.push(
                Diagnostic::error("RTT-I001", format!("two servers are called '{}'", server.name))
                    .help("ingest them apart, one with another name: --server NAME"),
            );
        }
        is_first
    });
}

/// Returns the manifest of a server that is there.
fn earlier(workspace: &Workspace, server: &Server) -> Result<Option<Manifest>, Error> {
    let Some(bytes) = workspace.read_optional(server.path())? else { return Ok(None) };
    Ok(manifest::read(&server.path(), &bytes).manifests.into_iter().next().map(|sourced| sourced.manifest))
}

/// Keeps the manifests in the store by `symbol@version`, for later comparison. Who named one as an agent there keeps it so.
fn keep(workspace: &Workspace, servers: &[&Server]) -> Result<(), store::Error> {
    if servers.is_empty() {
        return Ok(());
    }
    let mut writer = Store::of(workspace).write()?;
    for server in servers {
        let value = serde_json::to_value(&server.manifest).expect("manifests have string keys and finite numbers");
        let id = server.manifest.id();
        let role = writer.index().get(&id).map_or(Role::Document, |(role, _)| role);
        let (digest, _) = writer.put_written(&value)?;
        writer.name(role, id, digest, Clash::Replace)?;
    }
    writer.commit().map(drop)
}

/// Says which servers of the provider the configuration names no more, and removes them if that is asked for.
fn gone(
    workspace: &Workspace,
    request: &Request,
    pins: &mut Pins,
    servers: &[Server],
    findings: &mut Vec<Diagnostic>,
    outcome: &mut report::Outcome,
) -> Result<(), Error> {
    // A server that could not be asked is still configured.
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Ok(());
    }
    let there: BTreeSet<_> = servers.iter().map(|server| &server.manifest.symbol).collect();
    let of_provider = |pinned: &pins::Pinned| pinned.provider == request.provider;
    let missing: Vec<_> = pins
        .servers
        .iter()
        .filter(|(symbol, pinned)| of_provider(pinned) && !there.contains(symbol))
        .map(|(symbol, pinned)| (symbol.clone(), pinned.server.clone()))
        .collect();
    for (symbol, name) in missing {
        let path = server::path_of(&symbol);
        let is_there = workspace.read_optional(&path)?.is_some();
        if request.prune && !request.dry_run {
            let full = workspace.path(&path);
            durable::remove_file(&full).map_err(|source| workspace::Error::remove(&full, source))?;
            pins.servers.remove(&symbol);
            outcome.removed.push(path);
        } else if is_there {
            findings.push(
                Diagnostic::warning("RTT-I009", format!("the configuration names no server '{name}' any more"))
                    .at(Place::file(path))
                    .help("remove its agent with --prune, or by hand"),
            );
        }
    }
    Ok(())
}

/// Tells how a difference reads in one line.
fn counts(difference: &Difference) -> String {
    format!(
        "{} added, {} changed, {} removed",
        difference.added.len(),
        difference.changed.len(),
        difference.removed.len()
    )
}
