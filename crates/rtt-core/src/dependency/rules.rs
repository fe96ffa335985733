//! The rules of stage 20: everything that it reports has one of these identifiers, and each can be explained.
//!
//! The one table of them: a test holds it against the identifiers that the code uses.

use crate::diagnostic::Severity;

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its stable identifier.
    pub id: &'static str,
    /// What it finds, as a clause.
    pub title: &'static str,
    /// How bad a finding is.
    pub severity: Severity,
    /// How bad it is where the requirement is optional, if that makes a difference.
    pub when_optional: Option<Severity>,
    /// What the rule compares.
    pub what: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// Manifests that break it, shortened.
    pub example: &'static str,
    /// What to do.
    pub fix: &'static str,
}

/// Every rule, by identifier.
pub static RULES: [Rule; 13] = [
    Rule {
        id: "RTT-D001",
        title: "a required symbol is not registered",
        severity: Severity::Error,
        when_optional: Some(Severity::Info),
        what: "Every symbol in \"requires\" must be declared by a manifest that stage 10 registered.",
        why: "The agent would call somebody who does not exist; no connector can be generated and no route be planned.",
        example: r#"{"symbol": "agent.api.metrics", "version": "1.0.0", "requires": [{"symbol": "agent.api.auht"}]}"#,
        fix: "Correct the name, add the missing manifest, or remove the requirement. If the agent also runs without \
              it, say \"optional\": true.",
    },
    Rule {
        id: "RTT-D002",
        title: "no registered version lies in the required range",
        severity: Severity::Error,
        when_optional: Some(Severity::Warning),
        what: "At least one registered version of the symbol must lie in the \"version\" range of the requirement. \
               A pre-release lies only in a range that names one.",
        why: "Versions outside the range may have another interface: the consumer was not made for them.",
        example: r#"{"symbol": "a.x", "requires": [{"symbol": "b.y", "version": "^2"}]} while only b.y 1.4.0 is registered"#,
        fix: "Register a version in the range, or widen the range after checking that the consumer works with what \
              is there.",
    },
    Rule {
        id: "RTT-D003",
        title: "requirements form a circle",
        severity: Severity::Error,
        when_optional: None,
        what: "Following each requirement to the instance that it resolves to must never lead back to the start.",
        why: "No agent on a circle can start before the others: none of them ever starts.",
        example: "a.x requires b.y, b.y requires c.z, c.z requires a.x",
        fix: "Remove the requirements that the finding names, or make them \"optional\": true where the agent can \
              start without them. What several share often belongs into an agent of its own.",
    },
    Rule {
        id: "RTT-D004",
        title: "the provider speaks another protocol, or its methods do not fit",
        severity: Severity::Error,
        when_optional: Some(Severity::Warning),
        what: "A provider must speak the protocol that is required in a version in its range, and have every method \
               that is required. It must accept all parameters that the consumer may send, and return only results \
               that the consumer understands.",
        why: "A call that does not fit fails at run time, for some values only.",
        example: r#"a.x requires {"symbol": "b.y", "methods": {"verify": {"result": {"type": "string"}}}} while b.y returns {"type": "boolean"}"#,
        fix: "Make both sides agree: correct the schemas of the one that is wrong, or require a version of the \
              provider that fits.",
    },
    Rule {
        id: "RTT-D005",
        title: "a required capability is not offered",
        severity: Severity::Error,
        when_optional: Some(Severity::Warning),
        what: "Every name in the requirement's \"capabilities\" must be among those that the provider offers.",
        why: "The consumer counts on something that the provider does not promise.",
        example: r#"a.x requires {"symbol": "b.y", "capabilities": ["token.verify"]} while b.y offers ["token.issue"]"#,
        fix: "Correct the name, require another agent that offers it, or offer it in the provider's manifest if the \
              agent can do it.",
    },
    Rule {
        id: "RTT-D006",
        title: "it is not certain that a provider fits",
        severity: Severity::Warning,
        when_optional: None,
        what: "Some promises cannot be compared: a side does not describe what the other counts on, or its schema \
               leaves open what else may be sent.",
        why: "The provider is taken, but a call may fail.",
        example: "a.x sends {\"type\": \"object\"} without \"additionalProperties\": false to a method that names \
                  all its parameters",
        fix: "Describe what is missing, as the finding says. Where nothing else is ever sent, \
              \"additionalProperties\": false settles it.",
    },
    Rule {
        id: "RTT-D007",
        title: "a higher version in the range is passed over",
        severity: Severity::Warning,
        when_optional: None,
        what: "The highest version in the range does not fit, and a lower one is chosen.",
        why: "A new version broke a promise that its version number keeps; who upgrades by the number alone is \
              surprised.",
        example: "a.x requires b.y ^1 with the capability 'fly', which b.y 1.0.0 offers and b.y 1.1.0 no longer does",
        fix: "Give the version that broke the promise a new major number, or narrow the range.",
    },
    Rule {
        id: "RTT-D008",
        title: "no one version of a singleton suits all its consumers",
        severity: Severity::Error,
        when_optional: Some(Severity::Warning),
        what: "Only one version of a symbol that says \"singleton\": true may run, so one must meet the \
               requirements of all consumers. The finding is a smallest derivation: without any one of its \
               statements there is no conflict.",
        why: "Whichever version runs, one of the consumers named would be left without its dependency.",
        example: "a.x requires s.t ^1 and b.y requires s.t ^2, and s.t is a singleton",
        fix: "Bring the named ranges together, make one of the requirements \"optional\": true, or drop \
              \"singleton\" if two versions can run side by side.",
    },
    Rule {
        id: "RTT-D009",
        title: "files declare one instance differently",
        severity: Severity::Warning,
        when_optional: None,
        what: "Stage 10 found two declarations of one symbol and version with different content; the first in path \
               order counts.",
        why: "What is checked here may not be what runs.",
        example: "agents/a.agent.json and providers/a.json both declare a.x 1.0.0, with other methods",
        fix: "Give one of them another version, or remove it. rtt-10-scan --force shows both places.",
    },
    Rule {
        id: "RTT-D010",
        title: "an instance requires itself",
        severity: Severity::Error,
        when_optional: Some(Severity::Warning),
        what: "A requirement on the agent's own symbol must be met by another version of it.",
        why: "The agent could not start before itself.",
        example: r#"{"symbol": "a.x", "version": "1.0.0", "requires": [{"symbol": "a.x"}]}"#,
        fix: "Remove the requirement.",
    },
    Rule {
        id: "RTT-D011",
        title: "requirements form a circle that an optional one closes",
        severity: Severity::Warning,
        when_optional: None,
        what: "Following each requirement leads back to the start, but at least one on the way is optional.",
        why: "The agents can start, since one of them runs without its dependency for a while; they can never all \
              start with everything there.",
        example: "a.x requires b.y, and b.y optionally requires a.x",
        fix: "Nothing, if that is meant. Otherwise remove the requirements that the finding names.",
    },
    Rule {
        id: "RTT-D012",
        title: "an entry of .rtt/depdoctor.json matches nothing",
        severity: Severity::Warning,
        when_optional: None,
        what: "Every ignore and every baseline entry must hide at least one finding.",
        why: "What it was written for is repaired; left there, it would hide the next mistake of the same kind.",
        example: r#"{"ignore": [{"rule": "RTT-D007", "path": "agents/legacy/**"}]} while no finding lies in that folder"#,
        fix: "Remove the entry. --write-baseline writes the baseline anew.",
    },
    Rule {
        id: "RTT-D013",
        title: ".rtt/depdoctor.json says what means nothing",
        severity: Severity::Error,
        when_optional: None,
        what: "Rules must be ones that stage 20 has, paths must be globs, instances and symbols be spelt as such.",
        why: "An entry that is misspelt hides nothing, and nobody notices.",
        example: r#"{"ignore": [{"rule": "RTT-D099"}]}"#,
        fix: "Correct the entry as the finding says.",
    },
];

/// Returns the rule of an identifier.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// Tells whether a text is meant as the identifier of a rule.
pub fn is_identifier(text: &str) -> bool {
    text.starts_with("RTT-")
}

impl Rule {
    /// Explains the rule: what, why, an example, and what to do.
    pub fn explanation(&self) -> String {
        let Self { id, title, what, why, example, fix, .. } = self;
        let mut severity = name(self.severity).to_owned();
        if let Some(optional) = self.when_optional {
            severity = format!("{severity}; {} where the requirement is optional", name(optional));
        }
        format!(
            "{id}: {title}\n\nseverity: {severity}\n\nwhat: {what}\n\nwhy: {why}\n\nexample: {example}\n\nfix: {fix}\n"
        )
    }
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "information",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn the_table_and_the_code_name_the_same_rules() {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let mut used = BTreeSet::new();
        for file in files.iter().filter(|file| !file.ends_with("rules.rs")) {
            let text = std::fs::read_to_string(file).expect("readable");
            // Tests and comments may speak of any rule; a finding is made with a string.
            let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            let names = text.match_indices("\"RTT-D").filter_map(|(at, _)| text.get(at + 1..at + 9));
            used.extend(names.map(str::to_owned).filter(|_| !file.ends_with("tests.rs")));
        }
        let listed: BTreeSet<String> = RULES.iter().map(|rule| rule.id.to_owned()).collect();
        assert_eq!(used, listed);
        assert!(RULES.is_sorted_by_key(|rule| rule.id));
    }

    #[test]
    fn rules_explain_themselves() {
        let text = find("RTT-D001").expect("there").explanation();
        assert!(
            text.starts_with("RTT-D001: a required symbol is not registered\n\nseverity: error; information where")
        );
        for part in ["what: Every", "why: The agent", "example: {", "fix: Correct"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(find("RTT-D999"), None);
    }
}
