//! `.rtt/depdoctor.json`: which findings are not to be shown, and which were there before (the baseline).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use serde_json::{Map, Value, json};

use super::finding::{Finding, Identity};
use super::resolve::Resolution;
use super::rules;
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::digest::Digest;
use crate::json;
use crate::schema::Schema;
use crate::stage::Verdict;
use crate::text;
use crate::workspace::state::{self, FORMAT_VERSION, StateError};
use crate::workspace::{self, Workspace, layout};

/// What the file says.
#[derive(Debug, Clone)]
pub struct Settings {
    ignores: Vec<Ignore>,
    baseline: BTreeMap<Identity, String>,
    document: Value,
    text: String,
    /// SHA-256 of the file's bytes, of nothing if there is none.
    pub digest: Digest,
}

/// Findings that are not to be shown.
#[derive(Debug, Clone)]
struct Ignore {
    /// Of which rule; `None`: of any.
    rule: Option<String>,
    /// In which files; `None`: in any.
    path: Option<GlobMatcher>,
    pointer: String,
}

impl Ignore {
    fn matches(&self, finding: &Finding) -> bool {
        let is_there = |glob: &GlobMatcher| {
            let file = finding.diagnostic.place.as_ref().map(|place| place.file.as_str());
            // A glob that matches a folder speaks for all that is in it, as in a gitignore file.
            file.is_some_and(|file| Path::new(file).ancestors().any(|part| glob.is_match(part)))
        };
        self.rule.as_ref().is_none_or(|rule| rule == finding.diagnostic.rule) && self.path.as_ref().is_none_or(is_there)
    }
}

/// Reads the file; without one nothing is ignored.
///
/// # Errors
/// [`StateError::Invalid`] with every error in it.
pub fn read(workspace: &Workspace) -> Result<Settings, StateError> {
    match workspace.read_optional(layout::DEPDOCTOR)? {
        Some(bytes) => parse(&bytes),
        None => Ok(Settings::none()),
    }
}

/// Returns the digest of the file's bytes, of nothing if there is none.
///
/// # Errors
/// [`workspace::Error::Io`].
pub fn digest(workspace: &Workspace) -> Result<Digest, workspace::Error> {
    Ok(Digest::of_bytes(workspace.read_optional(layout::DEPDOCTOR)?.unwrap_or_default()))
}

/// Reads the file's bytes.
///
/// # Errors
/// [`StateError::Invalid`] with every error in it.
pub fn parse(bytes: &[u8]) -> Result<Settings, StateError> {
    let (document, text) = state::parse_value(layout::DEPDOCTOR, bytes, Schema::DepDoctor)?;
    let mut reader = Reader { text: &text, findings: Vec::new() };
    let ignores = reader.ignores(&document);
    let baseline = reader.baseline(&document);
    if !reader.findings.is_empty() {
        return Err(StateError::Invalid(reader.findings));
    }
    Ok(Settings { ignores, baseline, digest: Digest::of_bytes(bytes), document, text })
}

struct Reader<'a> {
    text: &'a str,
    findings: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn error(&mut self, pointer: &str, message: String, help: impl Into<String>) {
        let place = Place::value(layout::DEPDOCTOR, self.text, pointer);
        self.findings.push(Diagnostic::error("RTT-D013", message).at(place).help(help));
    }

    fn ignores(&mut self, document: &Value) -> Vec<Ignore> {
        let entries = entries(document, "ignore");
        entries.map(|(pointer, entry)| self.ignore(pointer, entry)).collect()
    }

    fn ignore(&mut self, pointer: String, entry: &Value) -> Ignore {
        let rule = entry.get("rule").and_then(Value::as_str).map(|rule| self.rule(&pointer, rule));
        let path = entry.get("path").and_then(Value::as_str).and_then(|glob| self.glob(&pointer, glob));
        Ignore { rule, path, pointer }
    }

    fn rule(&mut self, pointer: &str, rule: &str) -> String {
        if rules::find(rule).is_none() {
            let near = text::nearest(rule, rules::RULES.iter().map(|rule| rule.id));
            let help = near.map_or_else(
                || "rules are RTT-D001 and following".to_owned(),
                |near| format!("did you mean '{near}'?"),
            );
            self.error(
                &format!("{pointer}/rule"),
                format!("stage 20 has no rule '{rule}', expected one such as RTT-D001"),
                help,
            );
        }
        rule.to_owned()
    }

    fn glob(&mut self, pointer: &str, glob: &str) -> Option<GlobMatcher> {
        let trimmed = glob.trim_start_matches("./").trim_end_matches('/');
        let anywhere = if trimmed.contains('/') { trimmed.to_owned() } else { format!("**/{trimmed}") };
        let compiled = GlobBuilder::new(anywhere.trim_start_matches('/')).literal_separator(true).build();
        let refused = |error: globset::Error| {
            let message = format!("'{glob}' is not a glob: {}", error.kind());
            self.error(&format!("{pointer}/path"), message, "expected one such as agents/legacy/**");
        };
        compiled.map_err(refused).ok().map(|glob| glob.compile_matcher())
    }

    fn baseline(&mut self, document: &Value) -> BTreeMap<Identity, String> {
        let entries = entries(document, "baseline");
        entries.filter_map(|(pointer, entry)| Some((self.identity(&pointer, entry)?, pointer))).collect()
    }

    fn identity(&mut self, pointer: &str, entry: &Value) -> Option<Identity> {
        let rule = self.rule(pointer, entry.get("rule")?.as_str()?);
        let (instance, symbol) = (self.parsed(pointer, entry, "instance"), self.parsed(pointer, entry, "symbol"));
        Some(Identity { rule, instance: instance?, symbol: symbol? })
    }

    /// The member, if it is there; the outer `None` is one that is wrong, which is then reported.
    fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self, at: &str, entry: &Value, key: &str) -> Option<Option<T>> {
        let Some(text) = entry.get(key).and_then(Value::as_str) else { return Some(None) };
        let help = "--write-baseline writes the baseline anew";
        text.parse().map_err(|error: T::Err| self.error(&format!("{at}/{key}"), error.to_string(), help)).ok().map(Some)
    }
}

/// The items of a list, each with its pointer.
fn entries<'a>(document: &'a Value, list: &'static str) -> impl Iterator<Item = (String, &'a Value)> {
    let items = document.get(list).and_then(Value::as_array).into_iter().flatten();
    items.enumerate().map(move |(index, entry)| (format!("/{list}/{index}"), entry))
}

impl Settings {
    /// Hides nothing.
    pub fn none() -> Self {
        Self {
            ignores: Vec::new(),
            baseline: BTreeMap::new(),
            document: json!({"version": FORMAT_VERSION}),
            text: String::new(),
            digest: Digest::of_bytes(""),
        }
    }

    /// Moves the findings that are not to be shown aside, and warns of every entry that moves none.
    pub fn apply(&self, resolution: &mut Resolution) {
        let mut used: BTreeSet<&str> = BTreeSet::new();
        let (mut shown, mut ignored) = (Vec::new(), Vec::new());
        for finding in resolution.findings.drain(..) {
            let ignores = self.ignores.iter().filter(|ignore| ignore.matches(&finding)).map(|ignore| &ignore.pointer);
            let matching: Vec<&str> =
                ignores.chain(self.baseline.get(&finding.identity())).map(String::as_str).collect();
            if matching.is_empty() {
                shown.push(finding)
            } else {
                ignored.push(finding)
            }
            used.extend(matching);
        }
        let pointers = self.ignores.iter().map(|ignore| &ignore.pointer).chain(self.baseline.values());
        shown.extend(pointers.filter(|pointer| !used.contains(pointer.as_str())).map(|pointer| self.unused(pointer)));
        resolution.findings = shown;
        resolution.ignored = ignored;
    }

    fn unused(&self, pointer: &str) -> Finding {
        let (what, help) = if pointer.starts_with("/baseline") {
            (
                "this baseline entry",
                "what it stood for is repaired: remove it, or run rtt-20-depdoctor --write-baseline",
            )
        } else {
            ("this ignore", "remove it, or correct its rule and its path")
        };
        let entry = self.document.pointer(pointer).map(Value::to_string).unwrap_or_default();
        let diagnostic = Diagnostic::warning("RTT-D012", format!("{what} matches no finding: {entry}"))
            .at(Place::value(layout::DEPDOCTOR, &self.text, pointer))
            .help(help);
        let mut finding = Finding::new(Verdict::CheckFailed, (None, None), diagnostic);
        // Entries have no other name than what they say.
        finding.diagnostic.identity = Some(format!("RTT-D012 {entry}"));
        finding
    }

    /// Returns the file's text with another baseline: the errors and warnings that no ignore hides, which are counted.
    /// The rest of the file stays as people wrote it, in its order.
    pub fn with_baseline(&self, resolution: &Resolution) -> (usize, String) {
        let recorded: BTreeSet<Identity> = resolution
            .findings
            .iter()
            .filter(|finding| finding.diagnostic.severity != Severity::Info && finding.diagnostic.rule != "RTT-D012")
            .filter(|finding| !self.ignores.iter().any(|ignore| ignore.matches(finding)))
            .map(Finding::identity)
            .collect();
        let entry = |identity: &Identity| {
            let mut entry = Map::from_iter([("rule".to_owned(), Value::from(identity.rule.as_str()))]);
            entry.extend(
                identity.instance.as_ref().map(|instance| ("instance".to_owned(), instance.to_string().into())),
            );
            entry.extend(identity.symbol.as_ref().map(|symbol| ("symbol".to_owned(), symbol.as_str().into())));
            Value::Object(entry)
        };
        let mut document = self.document.clone();
        document["baseline"] = recorded.iter().map(entry).collect();
        (recorded.len(), json::pretty(&document))
    }
}

#[cfg(test)]
mod tests {
    use super::super::resolve;
    use super::super::tests::{agent, registry};
    use super::*;

    fn check(text: &str, expected: &str) {
        let Err(StateError::Invalid(findings)) = parse(text.as_bytes()) else { panic!("{text} is accepted") };
        let found = findings.iter().map(|finding| {
            let at = finding.place.as_ref().and_then(|place| place.at).expect("a place");
            format!("{} {}:{} {}", finding.rule, at.line, at.column, finding.message)
        });
        assert_eq!(found.collect::<Vec<_>>().join("\n"), expected);
    }

    #[test]
    fn what_means_nothing_is_refused_at_its_place() {
        check(
            "{\n \"ignore\": [{\"rule\": \"RTT-D099\", \"path\": \"a[\"}]}",
            "RTT-D013 2:22 stage 20 has no rule 'RTT-D099', expected one such as RTT-D001\n\
             RTT-D013 2:42 'a[' is not a glob: unclosed character class; missing ']'",
        );
        check("{\"ignor\": []}", "RTT-S002 1:2 unknown key 'ignor'");
        check(
            "{\"baseline\": [{\"rule\": \"RTT-D001\", \"instance\": \"a.x@one\"}]}",
            "RTT-D013 1:48 'a.x@one' is not an instance: a symbol, '@' and a version, such as agent.storage.tsdb@1.2.0",
        );
    }

    #[test]
    fn entries_hide_what_they_match_and_nothing_else() {
        let registry = registry(&[agent("a.x@1.0.0", &["no.where"]), agent("b.y@1.0.0", &["no.where", "no.such"])]);
        let hidden = |settings: &str| {
            let mut resolution = resolve(&registry);
            parse(settings.as_bytes()).expect(settings).apply(&mut resolution);
            let identities = |findings: &[Finding]| {
                findings.iter().map(|finding| finding.identity().to_string()).collect::<Vec<_>>()
            };
            (identities(&resolution.ignored), identities(&resolution.findings).len())
        };
        let (a, b, c) = (
            "RTT-D001 of a.x@1.0.0 about no.where".to_owned(),
            "RTT-D001 of b.y@1.0.0 about no.where".to_owned(),
            "RTT-D001 of b.y@1.0.0 about no.such".to_owned(),
        );
        assert_eq!(hidden(r#"{"ignore": [{"rule": "RTT-D001"}]}"#), (vec![a.clone(), b.clone(), c.clone()], 0));
        assert_eq!(hidden(r#"{"ignore": [{"path": "b.y.agent.json"}]}"#), (vec![b.clone(), c.clone()], 1));
        assert_eq!(hidden(r#"{"ignore": [{"path": "agents"}, {"rule": "RTT-D002"}]}"#), (vec![a, b.clone(), c], 1));
        let baseline = r#"{"baseline": [{"rule": "RTT-D001", "instance": "b.y@1.0.0", "symbol": "no.where"},
            {"rule": "RTT-D001", "instance": "b.y@2.0.0", "symbol": "no.where"}]}"#;
        assert_eq!(hidden(baseline), (vec![b], 3));
    }

    #[test]
    fn a_baseline_takes_in_today_and_leaves_the_rest_of_the_file() {
        let registry = registry(&[agent("a.x@1.0.0", &["no.where", "?no.such"]), agent("b.y@1.0.0", &["no.where"])]);
        let settings =
            parse(br#"{"ignore": [{"reason": "later", "path": "**/b.y.*"}], "version": "1.0.0"}"#).expect("valid");
        let (count, text) = settings.with_baseline(&resolve(&registry));
        assert_eq!(count, 1);
        assert!(text.starts_with("{\n  \"ignore\": [\n    {\n      \"reason\": \"later\""), "{text}");
        let mut resolution = resolve(&registry);
        parse(text.as_bytes()).expect("valid").apply(&mut resolution);
        assert_eq!((resolution.ignored.len(), resolution.verdict()), (2, Verdict::Success));
    }
}
