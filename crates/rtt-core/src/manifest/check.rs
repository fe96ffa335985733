//! Checks of a manifest that its schema cannot express.
//!
//! Two layers: [`spellings`] and [`schemas_of`] look at the document before it is typed, so that a bad version is
//! found together with everything else; [`check`] looks at the typed manifest.

use std::collections::BTreeMap;

use semver::Version;
use serde_json::Value;

use super::read::Sink;
use super::{Manifest, Method, SchemaText};
use crate::diagnostic::{Diagnostic, Place};
use crate::json::push_token;
use crate::lane::Lane;
use crate::registry::MAX_SOCKET_NAME;
use crate::version::Range;

/// Checks one manifest; `file`, `text` and `pointer` say where it stands.
pub fn check(file: &str, text: &str, pointer: &str, manifest: &Manifest) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut report = |finding: Diagnostic, member: &str| {
        findings.push(finding.at(Place::value(file, text, &format!("{pointer}{member}"))));
    };
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, requirement) in manifest.requires.iter().enumerate() {
        let symbol = requirement.symbol.as_str();
        let member = format!("/requires/{index}/symbol");
        if let Some(earlier) = first.get(symbol) {
            let earlier = Place::value(file, text, &format!("{pointer}/requires/{earlier}/symbol"));
            let finding =
                Diagnostic::error("RTT-M005", format!("'{symbol}' is required twice, expected each symbol once"))
                    .help("join the two requirements into one with a range that satisfies both")
                    .related(earlier, "required here first");
            report(finding, &member);
        } else {
            first.insert(symbol, index);
        }
        if requirement.symbol == manifest.symbol {
            report(
                Diagnostic::error("RTT-M005", format!("'{symbol}' requires itself, expected another symbol"))
                    .help("remove the requirement"),
                &member,
            );
        }
        methods(&requirement.methods, &format!("/requires/{index}/methods"), &mut report);
    }
    methods(&manifest.provides.methods, "/provides/methods", &mut report);
    endpoint(manifest, &mut report);
    findings
}

/// Checks that versions and ranges in a document are ones, as far as they are strings.
pub(super) fn spellings(sink: &mut Sink, pointer: &str, manifest: &Value) {
    let mut version = |member: &str, value: Option<&Value>| {
        let Some(text) = value.and_then(Value::as_str).filter(|text| !text.is_empty()) else { return };
        if let Err(error) = text.parse::<Version>() {
            let finding = sink.error(
                "RTT-M004",
                &format!("{pointer}{member}"),
                format!("'{text}' is not a version ({error}), expected three numbers as in 1.2.0 (semver 2.0)"),
            );
            let meant = super::foreign::lenient_version(text).unwrap_or(Version::new(1, 0, 0));
            finding.help.push(format!("write \"{meant}\""));
        }
    };
    version("/version", manifest.get("version"));
    version("/provides/protocol/version", manifest.pointer("/provides/protocol/version"));
    for (index, requirement) in manifest.get("requires").and_then(Value::as_array).into_iter().flatten().enumerate() {
        for member in ["/version", "/protocol/version"] {
            let Some(text) = requirement.pointer(member).and_then(Value::as_str).filter(|text| !text.is_empty()) else {
                continue;
            };
            if let Err(error) = text.parse::<Range>() {
                sink.error("RTT-M004", &format!("{pointer}/requires/{index}{member}"), error.to_string())
                    .help
                    .push("separate several comparators by commas; there is no 'or'".to_owned());
            }
        }
    }
}

/// Checks the method schemas of a document that could not be typed.
pub(super) fn schemas_of(sink: &mut Sink, pointer: &str, manifest: &Value) {
    let mut owners = vec!["/provides/methods".to_owned()];
    let requirements = manifest.get("requires").and_then(Value::as_array).map_or(0, Vec::len);
    owners.extend((0..requirements).map(|index| format!("/requires/{index}/methods")));
    for owner in owners {
        for (name, method) in manifest.pointer(&owner).and_then(Value::as_object).into_iter().flatten() {
            for part in ["params", "result"] {
                let Some(schema) = method.get(part).filter(|schema| schema.is_object()) else { continue };
                let at = format!("{pointer}{}/{part}", push_token(&owner, name));
                for (inner, problem) in schema_problems_of(schema) {
                    sink.error("RTT-M007", &format!("{at}{inner}"), invalid_schema(name, part, &problem))
                        .help
                        .push(SCHEMA_HELP.to_owned());
                }
            }
        }
    }
}

const SCHEMA_HELP: &str =
    "expected a JSON Schema (2020-12 unless its $schema says otherwise) without remote references";

fn invalid_schema(method: &str, part: &str, problem: &str) -> String {
    format!("the {part} of method '{method}' are not a valid JSON Schema: {problem}")
}

/// Finds what makes a value no usable JSON Schema: pairs of a pointer into it and the problem. Empty if it is one.
pub(super) fn schema_problems_of(schema: &Value) -> Vec<(String, String)> {
    let Some(object) = schema.as_object() else {
        return if schema.is_boolean() {
            Vec::new()
        } else {
            let problem = format!("it is of type {}, expected an object or a boolean", crate::json::type_name(schema));
            vec![(String::new(), problem)]
        };
    };
    // An unknown dialect has no meta-schema here; its keywords are read as the current draft's.
    let dialect = object.get("$schema").and_then(Value::as_str).unwrap_or("");
    let stripped;
    let schema = if object.contains_key("$schema") && !dialect.contains("json-schema.org/") {
        let mut copy = object.clone();
        copy.remove("$schema");
        stripped = Value::Object(copy);
        &stripped
    } else {
        schema
    };
    let problem = |error: jsonschema::ValidationError| (error.instance_path().to_string(), error.to_string());
    let mut problems: Vec<(String, String)> = match jsonschema::meta::validator_for(schema) {
        Err(error) => return vec![problem(error)],
        Ok(meta_schema) => meta_schema.iter_errors(schema).map(problem).collect(),
    };
    if problems.is_empty() {
        // Building also finds references that lead nowhere and patterns that do not compile.
        problems.extend(jsonschema::options().build(schema).err().map(problem));
    }
    problems
}

/// As [`schema_problems_of`]; most schemas are plainly valid and need not be taken apart.
fn schema_problems(schema: &SchemaText) -> Vec<(String, String)> {
    if schema.is_plainly_valid() { Vec::new() } else { schema_problems_of(&schema.value()) }
}

fn methods(methods: &BTreeMap<String, Method>, owner: &str, report: &mut impl FnMut(Diagnostic, &str)) {
    for (name, method) in methods {
        let at = push_token(owner, name);
        for (part, schema) in [("params", &method.params), ("result", &method.result)] {
            let Some(schema) = schema else { continue };
            let problems = schema_problems(schema);
            if part == "params" && problems.is_empty() && !schema.accepts_objects() {
                let finding = Diagnostic::error(
                    "RTT-M007",
                    format!("the params of method '{name}' do not accept an object, expected \"type\": \"object\""),
                );
                report(
                    finding.help("parameters are passed by name: describe them as the properties of an object"),
                    &format!("{at}/params"),
                );
            }
            for (inner, problem) in problems {
                let finding = Diagnostic::error("RTT-M007", invalid_schema(name, part, &problem)).help(SCHEMA_HELP);
                report(finding, &format!("{at}/{part}{inner}"));
            }
        }
    }
}

fn endpoint(manifest: &Manifest, report: &mut impl FnMut(Diagnostic, &str)) {
    let endpoint = &manifest.endpoint;
    if let Some(name) = &endpoint.uds {
        let problem = if name.is_empty() {
            Some("is empty".to_owned())
        } else if name.contains(['/', '\\', '\0']) || name == "." || name == ".." {
            Some(format!("is '{name}', which is not a plain file name"))
        } else if name.chars().any(char::is_control) {
            Some(format!("is '{name}', which holds control characters"))
        } else if name.len() > MAX_SOCKET_NAME {
            Some(format!("has {} bytes, more than the {MAX_SOCKET_NAME} that a socket address leaves", name.len()))
        } else {
            None
        };
        if let Some(problem) = problem {
            let finding = Diagnostic::error(
                "RTT-M006",
                format!("endpoint.uds {problem}, expected a file name inside .rtt/sockets/ without '/' or '..'"),
            );
            report(finding.help("for example \"tsdb.sock\""), "/endpoint/uds");
        }
    }
    if let Some(address) = &endpoint.tcp
        && !is_host_port(address)
    {
        let finding = Diagnostic::error(
            "RTT-M006",
            format!("endpoint.tcp is '{address}', expected host:port with a port from 1 to 65535"),
        );
        report(finding.help("for example \"127.0.0.1:7071\" or \"[::1]:7071\""), "/endpoint/tcp");
    }
    if let Some(command) = &endpoint.stdio {
        if command.first().is_none_or(String::is_empty) {
            let finding =
                Diagnostic::error("RTT-M006", "endpoint.stdio names no command, expected a command and its arguments");
            report(finding.help("for example [\"tsdb-server\", \"--stdio\"]"), "/endpoint/stdio");
        } else if command.iter().any(|word| word.contains('\0')) {
            let finding =
                Diagnostic::error("RTT-M006", "endpoint.stdio holds a NUL character, which no command line can carry");
            report(finding.help("remove it"), "/endpoint/stdio");
        }
    }
    let offered = manifest.lanes();
    for (given, lane) in [
        (endpoint.uds.is_some(), Lane::Uds),
        (endpoint.tcp.is_some(), Lane::Tcp),
        (endpoint.stdio.is_some(), Lane::Stdio),
    ] {
        if given && !offered.contains(&lane) {
            let finding = Diagnostic::warning(
                "RTT-M006",
                format!("endpoint.{lane} is given, but '{lane}' is not among the lanes offered"),
            );
            report(
                finding.help(format!("add \"{lane}\" to provides.lanes, or remove the endpoint")),
                &format!("/endpoint/{lane}"),
            );
        }
    }
}

/// Tells whether a text is `host:port`, `[v6 address]:port` included.
pub(super) fn is_host_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let host_is_valid = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')),
    };
    let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    host_is_valid && digits && port.parse::<u16>().is_ok_and(|port| port > 0)
}
