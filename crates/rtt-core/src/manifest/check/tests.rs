//! What the checks find in a manifest, and what they let pass.

use crate::manifest::read;

/// Reads a file, and expects each line of `expected` as `severity rule words…`, in order, and nothing else.
#[track_caller]
fn check_file(text: &str, expected: &[&str]) {
    let findings = read("agents/x.agent.json", text.as_bytes()).diagnostics;
    let lines: Vec<String> =
        findings.iter().map(|finding| format!("{:?} {} {}", finding.severity, finding.rule, finding.message)).collect();
    assert_eq!(lines.len(), expected.len(), "{lines:#?} for {text}");
    for ((line, expected), finding) in lines.iter().zip(expected).zip(&findings) {
        assert!(line.starts_with(expected), "{line}\nexpected {expected}");
        assert!(!finding.help.is_empty(), "without help: {line}");
        assert!(finding.place.as_ref().is_some_and(|place| place.at.is_some()), "without a place: {line}");
    }
}

/// Checks a canonical manifest that has these members.
#[track_caller]
fn check(members: &str, expected: &[&str]) {
    check_file(&format!(r#"{{"symbol": "a.b", "version": "1.0.0", {members}}}"#), expected);
}

#[test]
fn finds_placeholders() {
    check(r#""description": "Costs $5 {per} 100% <b>bold</b>""#, &[]);
    check(
        r#""description": "for <your team>""#,
        &["Warning RTT-M017 the description holds the placeholder '<your team>'"],
    );
    check(r#""provides": {"capabilities": ["${X}"]}"#, &["Warning RTT-M017 the capability"]);
    check(r#""requires": [{"symbol": "c.d", "capabilities": ["%NAME%"]}]"#, &["Warning RTT-M017 the capability"]);
    check(r#""endpoint": {"tcp": "{{host}}:1"}"#, &["Error RTT-M017 endpoint.tcp holds the placeholder '{{host}}'"]);
    check(r#""endpoint": {"uds": "<your-name>.sock"}"#, &["Error RTT-M017 endpoint.uds"]);
    check(r#""requires": [{"symbol": "c.d", "version": "^${V}"}]"#, &["Error RTT-M017 '^${V}' is not a version range"]);
    check(
        r#""provides": {"protocol": {"name": "mcp", "version": "{{v}}"}}"#,
        &["Error RTT-M017 '{{v}}' is not a version"],
    );
    check(r#""language": "${LANG}""#, &["Error RTT-M002 'language' is \"${LANG}\""]);
    // A method's description may well explain a template.
    check(r#""provides": {"methods": {"m": {"description": "Fills in {{name}}"}}}"#, &[]);
}

#[test]
fn the_arguments_of_a_command_may_name_variables() {
    let command = |words: &str| format!(r#""provides": {{"lanes": ["stdio"]}}, "endpoint": {{"stdio": [{words}]}}"#);
    check(&command(r#""sh", "-c", "exec tsdb --dir ${HOME}", "%APPDATA%\\x""#), &[]);
    check(&command(r#""${BIN}/tsdb""#), &["Error RTT-M017 endpoint.stdio holds the placeholder '${BIN}'"]);
    check(&command(r#""tsdb", "${A}{{b}}""#), &["Warning RTT-M017 endpoint.stdio holds the placeholder '{{b}}'"]);
    check(&command(r#""tsdb", "--token=<your-token>""#), &["Warning RTT-M017 endpoint.stdio"]);
}

#[test]
fn finds_hosts_that_are_only_examples() {
    let tcp = |host: &str| format!(r#""endpoint": {{"tcp": "{host}:443"}}"#);
    for host in ["example.com", "a.EXAMPLE.org", "example.net.", "tsdb.example", "x.invalid", "example"] {
        check(&tcp(host), &["Error RTT-M018 endpoint.tcp is on"]);
    }
    for host in ["myexample.com", "example.com.acme.dev", "a.test", "x.localhost", "example-1", "[2001:db8::1]"] {
        check(&tcp(host), &[]);
    }
}

#[test]
fn finds_characters_that_nobody_sees() {
    check(
        r#""provides": {"methods": {"a\u202eb": {}}}"#,
        &["Error RTT-M019 the method's name 'a\u{202e}b' holds U+202E (changes the direction of text)"],
    );
    check(r#""requires": [{"symbol": "c.d", "methods": {"a\u200b": {}}}]"#, &["Error RTT-M019 the method's name"]);
    check(r#""provides": {"capabilities": ["a\u0007"]}"#, &["Error RTT-M019 the capability 'a\u{7}' holds U+0007"]);
    check(r#""requires": [{"symbol": "c.d", "capabilities": ["\ufeffa"]}]"#, &["Error RTT-M019 the capability"]);
    check(r#""endpoint": {"uds": "a\u202e.sock"}"#, &["Error RTT-M019 endpoint.uds"]);
    check(r#""endpoint": {"tcp": "a\u200b:1"}"#, &["Error RTT-M019 endpoint.tcp"]);
    let description = |text: &str| format!(r#""description": "{text}""#);
    check(
        &description(r"a\u202eb\u001b[2J"),
        &["Warning RTT-M019 the description holds U+001B (a control character), U+202E"],
    );
    check(&description(r"two\nlines\r\nand\ta tab"), &[]);
    check(&description("größe 漢字 👩\u{200d}💻 می\u{200c}خواهم"), &[]);
    check(&description("a\u{200d}b"), &["Warning RTT-M019 the description holds U+200D (invisible)"]);
    let method = |members: &str| format!(r#""provides": {{"methods": {{"m": {{{members}}}}}}}"#);
    check(&method(r#""description": "\u2067x""#), &["Warning RTT-M019 the method's description"]);
    check(&method(r#""errors": [{"code": 1, "message": "\u2028"}]"#), &["Warning RTT-M019 the error's message"]);
    let nested = r#"{"properties": {"a": {"properties": {"b\u200b": {}}}}}"#;
    check(&method(&format!(r#""params": {nested}"#)), &["Warning RTT-M019 the property's name"]);
    check(&method(&format!(r#""result": {nested}"#)), &["Warning RTT-M019 the property's name"]);
    check(
        r#""provides": {"lanes": ["stdio"]}, "endpoint": {"stdio": ["sh", "-c", "a\nb", "\u202e"]}"#,
        &["Error RTT-M019 the command's word '\u{202e}'"],
    );
}

#[test]
fn white_space_around_a_name_is_not_seen_either() {
    check(r#""provides": {"capabilities": ["read only"]}"#, &[]);
    check(r#""provides": {"capabilities": [" read"]}"#, &["Error RTT-M019 the capability ' read' begins or ends"]);
    check(r#""provides": {"methods": {"m ": {}}}"#, &["Error RTT-M019 the method's name 'm ' begins or ends"]);
}

#[test]
fn a_lane_fits_its_endpoint() {
    check(r#""provides": {"lanes": ["uds", "tcp", "shm"]}"#, &[]);
    check(r#""provides": {"lanes": ["uds", "stdio"]}"#, &["Warning RTT-M006 'stdio' is offered, but"]);
    check(r#""endpoint": {"stdio": ["tsdb"]}"#, &["Warning RTT-M006 endpoint.stdio is given, but"]);
    check(
        r#""provides": {"lanes": ["stdio"]}, "endpoint": {"stdio": [" "]}"#,
        &["Error RTT-M006 endpoint.stdio names no"],
    );
}

#[test]
fn error_codes_are_integers_in_every_reader() {
    let code = |code: &str| format!(r#""provides": {{"methods": {{"m": {{"errors": [{{"code": {code}}}]}}}}}}"#);
    check(&code("-32001"), &[]);
    check(&code("-32001.0"), &["Error RTT-M004 the error code is -32001.0"]);
    check(&code("1.5"), &["Error RTT-M002 'code' is of type number, expected integer"]);
    for large in ["9007199254740992", "1e30", "18446744073709551615"] {
        check(&code(large), &["Error RTT-M002 'code' is "]);
    }
}

#[test]
fn foreign_documents_are_only_warned_about() {
    check_file(
        r#"{"name": "Pay ${NAME}", "description": "a\u202eb {{c}}", "version": "1.0.0", "url": "https://example.com",
            "skills": [{"id": "pay "}]}"#,
        &[
            "Warning RTT-M017 as a manifest, 'a2a.pay-name' (/description)",
            "Warning RTT-M018 as a manifest, 'a2a.pay-name' (/endpoint/tcp)",
            "Warning RTT-M019 as a manifest, 'a2a.pay-name' (/description)",
            "Warning RTT-M019 as a manifest, 'a2a.pay-name' (/provides/capabilities/0)",
        ],
    );
    // What a tool list leaves open, and what another program's variables are, is no mistake.
    check_file(r#"{"tools": [{"name": "query", "inputSchema": {}}]}"#, &[]);
    check_file(r#"{"mcpServers": {"x": {"command": "npx", "args": ["${workspaceFolder}"]}}}"#, &[]);
    check_file(r#"{"mcpServers": {"x": {"command": "${env:BIN}"}}}"#, &["Warning RTT-M017 as a manifest"]);
    check_file(r#"{"tools": [{"name": "que\u202ery", "inputSchema": {}}]}"#, &["Warning RTT-M019 as a manifest"]);
}
