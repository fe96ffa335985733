//! The JSON Schemas of everything that the pipeline reads and writes, embedded, and their violations in words.

mod words;

pub use words::{UNKNOWN_KEY, is_about_key};

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

use crate::diagnostic::Diagnostic;

macro_rules! schemas {
    ($($(#[$doc:meta])* $variant:ident = $file:literal, $title:literal;)*) => {
        /// One of the schemas in `schemas/`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Schema { $($(#[$doc])* $variant),* }

        impl Schema {
            /// Every schema.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns the file's name in `schemas/`.
            pub fn file_name(self) -> &'static str {
                match self { $(Self::$variant => $file),* }
            }

            /// Returns what a document of this schema is called in messages.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }

            /// Returns the schema's text.
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("../../../schemas/", $file))),* }
            }
        }
    };
}

schemas! {
    /// An agent manifest in the canonical form.
    Manifest = "rtt.symbol.schema.json", "agent manifest";
    /// `.rtt/cache/registry.json`.
    Registry = "rtt.registry.schema.json", "symbol registry";
    /// `.rtt/cache/dependencies.json`.
    Dependencies = "rtt.dependencies.schema.json", "dependency report";
    /// `.rtt/cache/connectors.json`.
    Connectors = "rtt.connectors.schema.json", "connector index";
    /// `.rtt/routes.json`.
    Routes = "rtt.routes.schema.json", "route list";
    /// `.rtt/depdoctor.json`.
    DepDoctor = "rtt.depdoctor.schema.json", "list of ignored findings";
    /// `.rtt/policy.json`.
    Policy = "rtt.policy.schema.json", "policy";
    /// `.rtt/topology.json`.
    Topology = "rtt.topology.schema.json", "topology";
    /// `.rtt/tuned/lanes.json`.
    Lanes = "rtt.lanes.schema.json", "lane table";
    /// `.rtt/cache/solver.json`.
    SolverCache = "rtt.solver.schema.json", "solver cache";
    /// `plans/*.plan.json` and `plans/last_applied.json`.
    Plan = "rtt.plan.schema.json", "routing plan";
    /// `.rtt/wal/*.wal.json`.
    Wal = "rtt.wal.schema.json", "write-ahead log entry";
    /// `.rtt/registry/trust/keys/revoked.json`.
    Revoked = "rtt.revoked.schema.json", "list of revoked keys";
    /// `.rtt/registry/mcp-pins.json`.
    McpPins = "rtt.mcp-pins.schema.json", "list of pinned tools";
    /// `.rtt/registry/index.json`.
    StoreIndex = "rtt.store-index.schema.json", "store index";
    /// `index.json` of an archive of the store.
    Archive = "rtt.archive.schema.json", "archive index";
    /// Detached signatures that `rtt-sign` writes.
    Signatures = "rtt.signatures.schema.json", "list of signatures";
    /// `stubs/<language>/stub.json`.
    Stub = "rtt.stub.schema.json", "language stub";
    /// What `rtt-flight --format otlp-json` prints.
    OtlpTraces = "rtt.otlp-traces.schema.json", "list of spans";
    /// One line of `.rtt/telemetry/flight.ndjson`.
    Flight = "rtt.flight.schema.json", "flight record";
    /// The summary that `--format json` prints.
    Summary = "rtt.summary.schema.json", "run summary";
}

impl Schema {
    /// Returns the compiled validator.
    pub fn validator(self) -> &'static Validator {
        static VALIDATORS: [OnceLock<Validator>; Schema::ALL.len()] = [const { OnceLock::new() }; Schema::ALL.len()];
        VALIDATORS[self as usize].get_or_init(|| {
            let schema = serde_json::from_str(self.text()).expect("embedded schemas are JSON; a test reads each");
            jsonschema::options()
                .with_draft(jsonschema::Draft::Draft202012)
                .build(&schema)
                .expect("embedded schemas compile; a test compiles each")
        })
    }

    /// Tells whether a document is as the schema says.
    pub fn accepts(self, value: &Value) -> bool {
        self.validator().is_valid(value)
    }

    /// Checks a document and words every violation, with its line and column in `text`. Empty if it is valid.
    pub fn check(self, rule: &'static str, file: &str, text: &str, value: &Value) -> Vec<Diagnostic> {
        let validator = self.validator();
        if validator.is_valid(value) {
            return Vec::new();
        }
        let mut findings: Vec<Diagnostic> =
            validator.iter_errors(value).flat_map(|error| words::word(rule, file, text, &error)).collect();
        crate::diagnostic::sort(&mut findings);
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_a_described_2020_12_schema() {
        for schema in Schema::ALL {
            let value: Value = serde_json::from_str(schema.text()).expect("JSON");
            assert_eq!(value["$schema"], "https://json-schema.org/draft/2020-12/schema", "{}", schema.file_name());
            let name = schema.file_name().trim_start_matches("rtt.").trim_end_matches(".schema.json");
            assert_eq!(value["$id"], format!("urn:rtt:schema:{name}:1"), "{}", schema.file_name());
            assert!(value["title"].is_string() && value["description"].is_string(), "{}", schema.file_name());
            assert!(jsonschema::meta::is_valid(&value), "{}", schema.file_name());
            schema.validator();
        }
    }

    #[test]
    fn no_schema_file_is_left_out() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
        for entry in std::fs::read_dir(folder).expect("the schemas are here") {
            let name = entry.expect("readable").file_name().into_string().expect("UTF-8");
            assert!(
                !name.ends_with(".schema.json") || Schema::ALL.iter().any(|schema| schema.file_name() == name),
                "{name} is embedded nowhere"
            );
        }
    }
}
