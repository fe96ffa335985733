//! Stage 30: registry and dependencies → `.rtt/drivers/` and `.rtt/cache/connectors.json`.
//!
//! Everything is rendered and checked in memory first; files are written only if nothing failed, the index last.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde_json::{Value, json};

use super::{Context, Error, Report, Stage, Verdict, places, upstream};
use crate::connector::check::{self, Draft, Outcome};
use crate::connector::index::{Connector, Connectors, Served, SupportFile, Verification};
use crate::connector::model::{self, Model};
use crate::connector::render::{self, Renderer};
use crate::connector::stub::{Language, Stubs};
use crate::dependency::report::Dependencies;
use crate::diagnostic::{self, Diagnostic, Place, Severity};
use crate::digest::Digest;
use crate::registry::{Instance, Registry};
use crate::symbol::InstanceId;
use crate::text;
use crate::workspace::state::{FORMAT_VERSION, Fingerprint};
use crate::workspace::{self, Workspace, durable, layout};

/// How far generated code is checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verify {
    /// It parses.
    #[default]
    Syntax,
    /// And the language's own tools accept it, where they are installed.
    Toolchain,
}

/// The options of stage 30.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Only connectors of these languages; empty: all.
    pub languages: Vec<String>,
    /// List the languages and do nothing.
    pub list_languages: bool,
    /// How far generated code is checked.
    pub verify: Verify,
    /// Write nothing; fail if anything would change.
    pub check: bool,
    /// Remove generated files that no dependency needs any more.
    pub prune: bool,
}

/// Generates connectors.
///
/// # Errors
/// [`Error::NotRun`] and [`Error::Stale`] about stages 10 and 20, [`Error::Usage`] for a language that there is not,
/// [`Error::Invalid`] for a malformed stub. Code that does not parse, a manifest's unknown language and files that were
/// edited by hand are findings of the report; nothing is written then.
pub fn run(workspace: &Workspace, request: &Request, context: &Context) -> Result<Report, Error> {
    let stubs = Stubs::load(workspace)?;
    if request.list_languages {
        return Ok(list_languages(&stubs));
    }
    let wanted = wanted_languages(&stubs, &request.languages)?;
    let previous = upstream::read_connectors(workspace)?.map(|file| file.value);
    if let Some(index) = previous.as_ref().filter(|_| !context.force)
        && let Some(heads) = upstream::Heads::read(workspace)
        && index.fingerprint == fingerprint(request, &stubs, heads.registry, heads.dependencies, &wanted)
        && heads.are_fresh(workspace)
        && is_complete(workspace, index)?
    {
        return unchanged(workspace, request, context, index);
    }
    let registry = upstream::registry(workspace)?;
    let dependencies = upstream::dependencies(workspace, registry.digest)?;
    let fingerprint = fingerprint(request, &stubs, registry.digest, dependencies.digest, &wanted);

    let (jobs, mut findings) = plan(&stubs, &registry.value, &dependencies.value, &wanted);
    let built = build_all(&jobs, request, context)?;
    findings.extend(built.iter().flat_map(|language| language.findings.iter().cloned()));
    let index = assemble(&built, previous.as_ref(), &wanted, fingerprint.clone());
    let files: BTreeMap<String, &str> = built
        .iter()
        .flat_map(|language| {
            language
                .drafts
                .iter()
                .map(move |draft| (format!("{}/{}", language.folder, draft.file), draft.text.as_str()))
        })
        .collect();
    let changes = compare(workspace, &files, previous.as_ref())?;
    if !context.force {
        findings.extend(changes.edited.iter().map(|path| edited_by_hand(path)));
    }
    let orphans = find_orphans(workspace, &index, previous.as_ref())?;
    report_orphans(&orphans, request, &mut findings);
    places::resolve(workspace, &mut findings);
    diagnostic::sort(&mut findings);

    let n_connectors = index.connectors.len();
    let figures = |report: Report| {
        report
            .figure("connectors", n_connectors)
            .figure("generated", changes.write.len())
            .figure("reused", files.len() - changes.write.len())
            .figure("languages", built.len())
    };
    if diagnostic::count(&findings, Severity::Error) > 0 {
        let count = text::counted(diagnostic::count(&findings, Severity::Error), "error");
        let mut report = figures(Report::new(Verdict::CheckFailed, format!("No connectors written: {count}")));
        report.diagnostics = findings;
        report.fingerprint = Some(fingerprint);
        return Ok(report);
    }
    if request.check {
        return Ok(figures(check_only(workspace, &index, &changes.write, &orphans, request, findings)?));
    }

    for path in &changes.write {
        workspace.write(path, files[path].as_bytes())?;
    }
    let mut report = Report::new(Verdict::Success, format!("Generated {}", text::counted(n_connectors, "connector")));
    report.details = index
        .connectors
        .iter()
        .map(|connector| format!("  {} ({}, {})", connector.path, connector.language, verified(connector.verification)))
        .collect();
    if request.prune {
        remove(workspace, &orphans, context, &mut report, &mut findings)?;
    }
    workspace.write(layout::CONNECTORS, crate::json::pretty(&index).as_bytes())?;
    log::info!("Generated {n_connectors} connectors");
    report.outputs = changes.write.clone();
    report.outputs.push(layout::CONNECTORS.to_owned());
    report.diagnostics = findings;
    report.fingerprint = Some(fingerprint);
    Ok(figures(report))
}

/// One language and the connectors that it needs.
struct Job<'a> {
    language: &'a Language,
    connectors: Vec<Wanted<'a>>,
}

/// One connector that is needed.
struct Wanted<'a> {
    /// The highest version that an edge resolves to.
    provider: &'a Instance,
    serves: Vec<Served>,
    client: String,
    module: String,
}

/// By provider symbol and major version: the highest version and the edges.
type Needs<'a> = BTreeMap<(String, u64), (&'a Instance, BTreeSet<Served>)>;

/// What became of one language.
struct Built<'a> {
    language: &'a Language,
    folder: String,
    drafts: Vec<Draft>,
    connectors: Vec<Connector>,
    support: Vec<SupportFile>,
    findings: Vec<Diagnostic>,
}

/// Which files differ from what is on disk.
struct Changes {
    write: Vec<String>,
    edited: Vec<String>,
}

fn list_languages(stubs: &Stubs) -> Report {
    let languages: Vec<&Language> = stubs.languages().collect();
    let mut report = Report::new(Verdict::Success, text::counted(languages.len(), "language"));
    report.details = languages
        .iter()
        .map(|language| {
            let stub = &language.stub;
            let lanes: Vec<String> = stub.lanes.iter().map(ToString::to_string).collect();
            let aliases =
                if stub.aliases.is_empty() { String::new() } else { format!(" (also {})", stub.aliases.join(", ")) };
            let grammar = stub.grammar.as_ref().map(|grammar| format!("grammar {grammar}"));
            let checkers: Vec<String> = grammar.into_iter().chain(stub.toolchain.check.first().cloned()).collect();
            format!(
                "  {}{aliases}: {}; lanes {}; checked by {}; {}",
                language.name,
                stub.title,
                lanes.join(", "),
                checkers.join(", "),
                language.seen_at_work().unwrap_or("not seen at work"),
            )
        })
        .collect();
    let described = languages.iter().map(|language| {
        json!({
            "name": language.name,
            "aliases": language.stub.aliases,
            "title": language.stub.title,
            "lanes": language.stub.lanes,
            "grammar": language.stub.grammar,
            "toolchain": language.stub.toolchain.check,
            "verification": language.seen_at_work(),
        })
    });
    let described: Value = described.collect();
    report.list("language_list", move || described.clone()).figure("languages", languages.len())
}

fn wanted_languages(stubs: &Stubs, names: &[String]) -> Result<Option<BTreeSet<String>>, Error> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut wanted = BTreeSet::new();
    for name in names {
        let language = stubs.get(name).ok_or_else(|| Error::Usage {
            message: format!("No template found for language '{name}'"),
            help: Some(no_template_help(stubs, name)),
        })?;
        wanted.insert(language.name.clone());
    }
    Ok(Some(wanted))
}

fn no_template_help(stubs: &Stubs, name: &str) -> String {
    let known: Vec<&str> = stubs.languages().map(|language| language.name.as_str()).collect();
    let near =
        text::nearest(name, known.iter().copied()).map(|near| format!("did you mean '{near}'? ")).unwrap_or_default();
    format!("{near}there are stubs for {}; add a stubs/{name}/ folder for another language", known.join(", "))
}

fn fingerprint(
    request: &Request,
    stubs: &Stubs,
    registry: Digest,
    dependencies: Digest,
    wanted: &Option<BTreeSet<String>>,
) -> Fingerprint {
    let options = json!({
        "languages": wanted,
        "verify": match request.verify { Verify::Syntax => "syntax", Verify::Toolchain => "toolchain" },
    });
    Stage::Generate.fingerprint([
        ("registry", registry),
        ("dependencies", dependencies),
        ("stubs", stubs.digest()),
        ("options", Digest::of_json(&options)),
    ])
}

/// Tells whether every file of the index is on disk as it was written.
fn is_complete(workspace: &Workspace, index: &Connectors) -> Result<bool, Error> {
    let files: Vec<(&str, &str)> = listed(index).collect();
    let are_there = files.par_iter().map(|(path, sha256)| {
        Ok(workspace.read_optional(path)?.is_some_and(|bytes| Digest::of_bytes(&bytes).hex() == *sha256))
    });
    are_there.try_reduce(|| true, |one, other| Ok(one && other))
}

fn listed(index: &Connectors) -> impl Iterator<Item = (&str, &str)> {
    let connectors = index.connectors.iter().map(|file| (file.path.as_str(), file.sha256.as_str()));
    connectors.chain(index.support.iter().map(|file| (file.path.as_str(), file.sha256.as_str())))
}

fn unchanged(workspace: &Workspace, request: &Request, context: &Context, index: &Connectors) -> Result<Report, Error> {
    let mut findings = Vec::new();
    let orphans = find_orphans(workspace, index, None)?;
    report_orphans(&orphans, request, &mut findings);
    let n_connectors = index.connectors.len();
    let headline = format!("Nothing changed: {} up to date", text::counted(n_connectors, "connector"));
    let mut report = Report::new(Verdict::Unchanged, headline);
    if request.prune && !request.check && !orphans.is_empty() {
        report.verdict = Verdict::Success;
        report.headline = format!("{} up to date", text::counted(n_connectors, "connector"));
        remove(workspace, &orphans, context, &mut report, &mut findings)?;
    } else if request.prune && !orphans.is_empty() {
        report.verdict = Verdict::CheckFailed;
        report.headline = format!("{} would be removed", text::counted(orphans.len(), "file"));
    }
    report.diagnostics = findings;
    report.fingerprint = Some(index.fingerprint.clone());
    Ok(report.figure("connectors", n_connectors).figure("generated", 0).figure("reused", listed(index).count()))
}

/// Groups the edges whose consumer names a language by language, provider symbol and major version.
fn plan<'a>(
    stubs: &'a Stubs,
    registry: &'a Registry,
    dependencies: &Dependencies,
    wanted: &Option<BTreeSet<String>>,
) -> (Vec<Job<'a>>, Vec<Diagnostic>) {
    let mut needed: BTreeMap<&str, Needs> = BTreeMap::new();
    let mut unknown: BTreeMap<&InstanceId, Diagnostic> = BTreeMap::new();
    for edge in &dependencies.edges {
        let Some(consumer) = registry.get(&edge.from) else { continue };
        let Some(name) = &consumer.manifest.language else { continue };
        let Some(language) = stubs.get(name) else {
            if let Entry::Vacant(entry) = unknown.entry(&edge.from) {
                entry.insert(no_template(stubs, consumer, name));
            }
            continue;
        };
        if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&language.name)) {
            continue;
        }
        for id in &edge.accepted {
            let Some(provider) = registry.get(id) else { continue };
            let entry = needed
                .entry(language.name.as_str())
                .or_default()
                .entry((id.symbol.to_string(), id.version.major))
                .or_insert_with(|| (provider, BTreeSet::new()));
            if provider.manifest.version > entry.0.manifest.version {
                entry.0 = provider;
            }
            entry.1.insert(Served { from: edge.from.clone(), to: id.clone() });
        }
    }
    let mut jobs = Vec::new();
    for (name, connectors) in needed {
        let language = stubs.get(name).expect("it was found above");
        let keys: BTreeSet<(String, u64)> = connectors.keys().cloned().collect();
        let names = model::client_names(language, &keys);
        let connectors = connectors
            .into_values()
            .zip(names)
            .map(|((provider, serves), (client, module))| Wanted {
                provider,
                serves: serves.into_iter().collect(),
                client,
                module,
            })
            .collect();
        jobs.push(Job { language, connectors });
    }
    (jobs, unknown.into_values().collect())
}

fn no_template(stubs: &Stubs, consumer: &Instance, name: &str) -> Diagnostic {
    let origin = &consumer.origin;
    Diagnostic::error("RTT-C002", format!("No template found for language '{name}'"))
        .at(Place::pointer(&origin.path, format!("{}/language", origin.pointer)))
        .help(no_template_help(stubs, name))
        .help(format!("leave 'language' out of {} if it brings its own connectors", consumer.id()))
}

fn build_all<'a>(jobs: &[Job<'a>], request: &Request, context: &Context) -> Result<Vec<Built<'a>>, Error> {
    let total: usize = jobs.iter().map(|job| job.connectors.len()).sum();
    context.progress.start("Generating connectors", total as u64);
    let built = jobs.par_iter().map(|job| build(job, request, context)).collect();
    context.progress.finish();
    built
}

fn build<'a>(job: &Job<'a>, request: &Request, context: &Context) -> Result<Built<'a>, Error> {
    let language = job.language;
    let folder = format!("{}/{}", layout::DRIVERS, language.stub.directory);
    let mut built = Built {
        language,
        folder: folder.clone(),
        drafts: Vec::new(),
        connectors: Vec::new(),
        support: Vec::new(),
        findings: Vec::new(),
    };
    let renderer = match Renderer::new(language) {
        Ok(renderer) => renderer,
        Err(error) => {
            built.findings.push(template_problem(language, &error));
            return Ok(built);
        }
    };
    let models: Vec<Model> = job
        .connectors
        .par_iter()
        .map(|wanted| {
            let agents = wanted.serves.iter().map(|served| served.from.symbol.to_string()).collect();
            model::build(language, &wanted.provider.manifest, &wanted.client, &wanted.module, &agents)
        })
        .collect();
    let rendered: Vec<Result<Draft, render::Error>> = job
        .connectors
        .par_iter()
        .zip(&models)
        .map(|(wanted, model)| {
            let mut data = serde_json::to_value(model).expect("a model has string keys");
            data["interface"] = Value::from(wanted.provider.interface.to_string());
            let file = format!("{}.{}", wanted.module, language.stub.extension);
            let draft = renderer.render(&language.stub.template, data).map(|text| Draft { file, text, is_code: true });
            context.progress.advance(1);
            draft
        })
        .collect();
    let support_data = model::support(&models.iter().collect::<Vec<_>>());
    let support = language.stub.support.iter().map(|support| {
        let text = renderer.render(&support.source, support_data.clone())?;
        Ok(Draft { file: support.file.clone(), text, is_code: support.is_code })
    });
    for draft in rendered.into_iter().chain(support) {
        match draft {
            Ok(draft) => built.drafts.push(draft),
            Err(error) => built.findings.push(template_problem(language, &error)),
        }
    }
    if built.findings.is_empty() {
        let verification = verify(&mut built, request)?;
        describe(job, &mut built, verification);
    }
    Ok(built)
}

/// Checks the drafts and returns the level that all of them reached.
fn verify(built: &mut Built, request: &Request) -> Result<Verification, Error> {
    let language = built.language;
    built.findings = check::syntax(language, &built.folder, &built.drafts);
    let has_grammar = language.stub.grammar.is_some();
    if !built.findings.is_empty() || (has_grammar && request.verify == Verify::Syntax) {
        return Ok(Verification::Parsed);
    }
    let outcome = check::toolchain(language, &built.folder, &built.drafts)
        .map_err(|source| workspace::Error::create(std::path::Path::new(&built.folder), source))?;
    match outcome {
        Outcome::Accepted => return Ok(Verification::Compiled),
        Outcome::Refused(findings) => built.findings = findings,
        Outcome::Unavailable { program } => {
            let what =
                program.map_or("its stub names no check".to_owned(), |name| format!("'{name}' is not installed"));
            let message = format!("{} connectors are not checked by a toolchain: {what}", language.name);
            built.findings.push(if has_grammar {
                Diagnostic::warning("RTT-C005", message).help("install it, or use --verify syntax")
            } else {
                Diagnostic::error("RTT-C005", message)
                    .help("install it: there is no embedded grammar for this language")
            });
        }
    }
    Ok(Verification::Parsed)
}

fn describe(job: &Job, built: &mut Built, verification: Verification) {
    let digest = |file: &str| {
        let draft = built.drafts.iter().find(|draft| draft.file == file);
        draft.map(|draft| Digest::of_bytes(&draft.text).hex()).unwrap_or_default()
    };
    let stub = &built.language.stub;
    let connectors = job
        .connectors
        .iter()
        .map(|wanted| {
            let file = format!("{}.{}", wanted.module, stub.extension);
            let offered = wanted.provider.manifest.lanes();
            Connector {
                path: format!("{}/{file}", built.folder),
                sha256: digest(&file),
                language: built.language.name.clone(),
                symbol: wanted.provider.manifest.symbol.clone(),
                major: wanted.provider.manifest.version.major,
                serves: wanted.serves.clone(),
                lanes: stub.lanes.iter().copied().filter(|lane| offered.contains(lane)).collect(),
                verification,
            }
        })
        .collect();
    let support = stub
        .support
        .iter()
        .map(|support| SupportFile {
            path: format!("{}/{}", built.folder, support.file),
            sha256: digest(&support.file),
        })
        .collect();
    built.connectors = connectors;
    built.support = support;
}

/// Joins the languages; those left out by `--language` keep what the previous index says of them.
fn assemble(
    built: &[Built],
    previous: Option<&Connectors>,
    wanted: &Option<BTreeSet<String>>,
    fingerprint: Fingerprint,
) -> Connectors {
    let mut connectors: Vec<Connector> = built.iter().flat_map(|language| language.connectors.clone()).collect();
    let mut support: Vec<SupportFile> = built.iter().flat_map(|language| language.support.clone()).collect();
    if let (Some(wanted), Some(previous)) = (wanted, previous) {
        let kept: Vec<&Connector> =
            previous.connectors.iter().filter(|connector| !wanted.contains(&connector.language)).collect();
        let folders: BTreeSet<&str> = kept.iter().filter_map(|connector| folder_of(&connector.path)).collect();
        let beside = previous.support.iter().filter(|file| folder_of(&file.path).is_some_and(|f| folders.contains(f)));
        support.extend(beside.cloned());
        connectors.extend(kept.into_iter().cloned());
    }
    connectors.sort_by(|a, b| a.path.cmp(&b.path));
    support.sort_by(|a, b| a.path.cmp(&b.path));
    support.dedup_by(|a, b| a.path == b.path);
    Connectors { version: FORMAT_VERSION.to_owned(), fingerprint, connectors, support }
}

fn folder_of(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(folder, _)| folder)
}

fn compare(
    workspace: &Workspace,
    files: &BTreeMap<String, &str>,
    previous: Option<&Connectors>,
) -> Result<Changes, Error> {
    let known: BTreeMap<&str, &str> = previous.into_iter().flat_map(listed).collect();
    let mut changes = Changes { write: Vec::new(), edited: Vec::new() };
    for (path, text) in files {
        match workspace.read_optional(path)? {
            Some(bytes) if bytes == text.as_bytes() => continue,
            Some(bytes) if !is_ours(&bytes, known.get(path.as_str()).copied()) => changes.edited.push(path.clone()),
            _ => {}
        }
        changes.write.push(path.clone());
    }
    Ok(changes)
}

/// Tells whether a file is as a generator wrote it: by the index, or by its own mark where the index was lost.
fn is_ours(bytes: &[u8], indexed: Option<&str>) -> bool {
    indexed.is_some_and(|sha256| Digest::of_bytes(bytes).hex() == sha256) || render::is_intact(bytes)
}

/// Generated files that the index does not list: of the previous index, and marked ones beside the connectors.
fn find_orphans(
    workspace: &Workspace,
    index: &Connectors,
    previous: Option<&Connectors>,
) -> Result<Vec<(String, bool)>, Error> {
    let current: BTreeSet<&str> = listed(index).map(|(path, _)| path).collect();
    let known: BTreeMap<&str, &str> = previous.into_iter().flat_map(listed).collect();
    let mut candidates: BTreeSet<String> = known.keys().map(|path| (*path).to_owned()).collect();
    let drivers = workspace.path(layout::DRIVERS);
    for folder in entries(&drivers)? {
        let path = drivers.join(&folder);
        if path.is_dir() {
            candidates.extend(entries(&path)?.iter().map(|file| format!("{}/{folder}/{file}", layout::DRIVERS)));
        }
    }
    let mut orphans = Vec::new();
    for path in candidates.into_iter().filter(|path| !current.contains(path.as_str())) {
        // The index is a file like others: it must not name what is to be removed elsewhere.
        let inside = path.starts_with(&format!("{}/", layout::DRIVERS)) && !path.split('/').any(|part| part == "..");
        if !inside || !workspace.path(&path).is_file() {
            continue;
        }
        let Some(bytes) = workspace.read_optional(&path)? else { continue };
        let intact = is_ours(&bytes, known.get(path.as_str()).copied());
        if intact || known.contains_key(path.as_str()) {
            orphans.push((path, intact));
        }
    }
    Ok(orphans)
}

fn entries(folder: &std::path::Path) -> Result<Vec<String>, Error> {
    let listing = match std::fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(workspace::Error::read(folder, source).into()),
    };
    let mut names = Vec::new();
    for entry in listing {
        let entry = entry.map_err(|source| workspace::Error::read(folder, source))?;
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

fn report_orphans(orphans: &[(String, bool)], request: &Request, findings: &mut Vec<Diagnostic>) {
    if request.prune {
        return;
    }
    for (path, _) in orphans {
        findings.push(
            Diagnostic::warning("RTT-C006", format!("no dependency needs {path} any more"))
                .at(Place::file(path))
                .help("run rtt-30-generate --prune to remove it"),
        );
    }
}

fn remove(
    workspace: &Workspace,
    orphans: &[(String, bool)],
    context: &Context,
    report: &mut Report,
    findings: &mut Vec<Diagnostic>,
) -> Result<(), Error> {
    for (path, intact) in orphans {
        if !intact && !context.force {
            findings.push(
                Diagnostic::warning("RTT-C007", format!("{path} is not needed any more, but was edited by hand: kept"))
                    .at(Place::file(path))
                    .help("remove it yourself, or run again with --prune --force"),
            );
            continue;
        }
        let full = workspace.path(path);
        durable::remove_file(&full).map_err(|source| workspace::Error::remove(&full, source))?;
        report.details.push(format!("  removed {path}"));
    }
    Ok(())
}

fn check_only(
    workspace: &Workspace,
    index: &Connectors,
    write: &[String],
    orphans: &[(String, bool)],
    request: &Request,
    findings: Vec<Diagnostic>,
) -> Result<Report, Error> {
    let mut changes: Vec<String> = write.iter().map(|path| format!("  would write {path}")).collect();
    if workspace.read_optional(layout::CONNECTORS)?.as_deref() != Some(crate::json::pretty(index).as_bytes()) {
        changes.push(format!("  would write {}", layout::CONNECTORS));
    }
    if request.prune {
        changes.extend(orphans.iter().map(|(path, _)| format!("  would remove {path}")));
    }
    let mut report = if changes.is_empty() {
        Report::new(Verdict::Success, format!("{} up to date", text::counted(index.connectors.len(), "connector")))
    } else {
        Report::new(
            Verdict::CheckFailed,
            format!("{} would change; run rtt-30-generate", text::counted(changes.len(), "file")),
        )
    };
    report.details = changes;
    report.diagnostics = findings;
    report.fingerprint = Some(index.fingerprint.clone());
    Ok(report)
}

fn edited_by_hand(path: &str) -> Diagnostic {
    Diagnostic::error("RTT-C008", format!("{path} was edited by hand and would be overwritten"))
        .at(Place::file(path))
        .help("move the changes elsewhere (connectors are generated anew whenever an interface changes)")
        .help("or run rtt-30-generate --force to overwrite it")
}

fn template_problem(language: &Language, error: &render::Error) -> Diagnostic {
    use std::error::Error as _;
    let (render::Error::Template { file, .. } | render::Error::Render { file, .. }) = error;
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    Diagnostic::error("RTT-C009", format!("{error}{cause}"))
        .at(Place::file(format!("{}/{}/{file}", layout::STUBS, language.name)))
        .help("compare it with the built-in template of the same name, or remove it to use that")
}

fn verified(level: Verification) -> &'static str {
    match level {
        Verification::Parsed => "parsed",
        Verification::Compiled => "compiled",
    }
}
