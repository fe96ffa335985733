//! Every form, and the position of every kind of finding.

use super::*;
use crate::manifest::ProtocolName;

/// Reads a text, and expects each line of `expected` as `rule line:column words…`, in order, and nothing else.
#[track_caller]
fn check(text: &str, expected: &[&str]) -> Vec<Sourced> {
    let reading = read("agents/x.agent.json", text.as_bytes());
    let lines: Vec<String> = reading
        .diagnostics
        .iter()
        .map(|finding| {
            let at = finding
                .place
                .as_ref()
                .and_then(|place| place.at)
                .map_or("-".to_owned(), |at| format!("{}:{}", at.line, at.column));
            format!("{} {at} {}", finding.rule, finding.message)
        })
        .collect();
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}\nexpected {expected}");
    }
    for finding in reading.diagnostics.iter().filter(|finding| finding.severity == Severity::Error) {
        assert!(!finding.help.is_empty(), "an error without help: {finding:?}");
    }
    reading.manifests
}

#[test]
fn reads_the_canonical_form_whole() {
    let text = r##"{
      "$schema": "../schemas/rtt.symbol.schema.json", "symbol": "agent.storage.tsdb", "version": "1.2.0",
      "description": "Time-series store", "language": "go",
      "provides": {
        "protocol": {"name": "jsonrpc", "version": "2.0.0"}, "lanes": ["shm", "uds", "tcp", "stdio"], "capabilities": ["append"],
        "methods": {"query": {"description": "d", "params": {"type": "object", "required": ["a"]}, "result": {"type": "array"},
                              "errors": [{"code": -32001, "message": "unknown series"}]}}
      },
      "requires": [{"symbol": "agent.api.auth", "version": "^2.1", "protocol": {"name": "jsonrpc", "version": ">=1.0 <3.0"},
                    "capabilities": ["token.verify"], "methods": {"verify": {}}, "optional": false}],
      "qos": {"latency_ms": 5, "throughput_mbps": 100}, "resources": {"cpu": 0.5, "memory_mb": 256},
      "endpoint": {"uds": "tsdb.sock", "tcp": "127.0.0.1:7071", "stdio": ["tsdb-server", "--stdio"], "control": "uds"},
      "singleton": false, "metadata": {"any": 1}
    }"##;
    let manifests = check(text, &[]);
    let manifest = &manifests[0].manifest;
    assert_eq!(manifest.id().to_string(), "agent.storage.tsdb@1.2.0");
    assert_eq!((manifests[0].form, manifests[0].place.pointer.as_str()), (Form::Canonical, "/symbol"));
    // What is written into the registry reads back as the same manifest.
    let again = json::pretty(manifest);
    assert_eq!(check(&again, &[])[0].manifest, *manifest);
}

#[test]
fn says_where_and_what() {
    check("{\n \"symbol\": }", &["RTT-M001 2:12 not valid JSON"]);
    check("{\"symbol\": \"a.b\",\n \"symbol\": \"a.c\"}", &["RTT-M001 2:9 duplicate key 'symbol'"]);
    check("{\n  \"symbol\": \"a.b\"\n}", &["RTT-M002 1:1 missing key 'version'"]);
    check("{\"version\": \"1.0.0\", \"requires\": []}", &["RTT-M002 1:1 missing key 'symbol'"]);
    check(
        "{\"symbl\": \"a.b\", \"version\": \"1.0.0\"}",
        &["RTT-M002 1:1 missing key 'symbol'", "RTT-M003 1:2 unknown key 'symbl'"],
    );
    check(
        "{\"symbol\": \"A.b\",\n\"version\": \"1\"}",
        &["RTT-M002 1:12 'symbol' is \"A.b\"", "RTT-M004 2:12 '1' is not a version"],
    );
    let with = |member: &str| format!("{{\"symbol\": \"a.b\", \"version\": \"1.0.0\",\n{member}}}");
    for (member, expected) in [
        (r#""requires": [{"symbol": "c.d", "version": "banana"}]"#, "RTT-M004 2:43 'banana' is not a version range"),
        (r#""requires": [{"symbol": "c.d"}, {"symbol": "c.d"}]"#, "RTT-M005 2:44 'c.d' is required twice"),
        (r#""requires": [{"symbol": "a.b"}]"#, "RTT-M005 2:25 'a.b' requires itself"),
        (
            r#""provides": {"lanes": ["smh"]}"#,
            "RTT-M002 2:24 'lanes/0' is \"smh\", expected one of shm, uds, tcp, stdio",
        ),
        (r#""provides": {"protocol": {"name": "grpc"}}"#, "RTT-M002 2:35 'name' is \"grpc\""),
        (r#""provides": {"protocol": {"name": "mcp", "version": "x"}}"#, "RTT-M004 2:53 'x' is not a version"),
        (r#""provides": {"methods": {"m": {"params": {"type": "objekt"}}}}"#, "RTT-M007 2:51 the params of method 'm'"),
        (
            r#""provides": {"methods": {"m": {"params": {"type": "array"}}}}"#,
            "RTT-M007 2:42 the params of method 'm' do not accept",
        ),
        (
            r##""provides": {"methods": {"m": {"result": {"$ref": "#/$defs/no"}}}}"##,
            "RTT-M007 2:42 the result of method 'm'",
        ),
        (
            r#""provides": {"methods": {"m": {"result": {"$ref": "http://x/y"}}}}"#,
            "RTT-M007 2:42 the result of method 'm'",
        ),
        (
            r#""provides": {"methods": {"m": {"params": {"$schema": "https://json-schema.org/draft/2099/schema"}}}}"#,
            "RTT-M007 2:42 the params of method 'm'",
        ),
        (r#""endpoint": {"uds": "../x"}"#, "RTT-M006 2:21 endpoint.uds is '../x'"),
        (r#""endpoint": {"uds": ".."}"#, "RTT-M006 2:21 endpoint.uds is '..'"),
        (r#""endpoint": {"tcp": "localhost"}"#, "RTT-M006 2:21 endpoint.tcp is 'localhost'"),
        (r#""endpoint": {"tcp": "localhost:70000"}"#, "RTT-M006 2:21 endpoint.tcp"),
        (
            r#""provides": {"lanes": ["stdio"]}, "endpoint": {"stdio": []}"#,
            "RTT-M006 2:57 endpoint.stdio names no command",
        ),
        (r#""provides": {"lanes": ["shm"]}, "endpoint": {"tcp": "a:1"}"#, "RTT-M006 2:53 endpoint.tcp is given, but"),
        (r#""qos": {"latency_ms": 0}"#, "RTT-M002 2:23 'latency_ms'"),
        (r#""requries": []"#, "RTT-M003 2:1 unknown key 'requries'"),
    ] {
        check(&with(member), &[expected]);
    }
    // Independent problems are all reported, and an unknown key alone does not make a manifest invalid.
    check(
        &with(
            r#""requires": [{"symbol": "C", "version": "banana"}], "qos": {"latency": 1}, "provides": {"methods": {"m": {"params": {"type": 1}}}}"#,
        ),
        &["RTT-M002 2:25", "RTT-M004 2:41", "RTT-M003 2:61 unknown key 'latency'", "RTT-M007"],
    );
    assert_eq!(check(&with(r#""requries": []"#), &["RTT-M003"]).len(), 1);
}

#[test]
fn suggests_the_nearest_key() {
    let reading = read("x.json", br#"{"symbol": "a.b", "version": "1.0", "requries": []}"#);
    let help: Vec<&str> = reading.diagnostics.iter().flat_map(|finding| &finding.help).map(String::as_str).collect();
    assert!(help.contains(&"did you mean 'requires'?") && help.contains(&"write \"1.0.0\""), "{help:?}");
}

#[test]
fn says_what_other_documents_look_like() {
    for (text, expected) in [
        ("[]", "an empty array"),
        ("3", "a bare integer"),
        ("[1]", "an array of values that are not objects"),
        (r#"{"name": "x", "version": "1.0.0", "scripts": {}}"#, "a package.json"),
        (r#"{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}"#, "a JSON Schema"),
        (r#"{"openapi": "3.1.0"}"#, "an OpenAPI description"),
        (r#"{"version": "1.0.0", "routes": []}"#, "an RTT route list"),
        (r#"{"a": 1, "b": 2}"#, "an object with the keys a, b"),
    ] {
        check(text, &[&format!("RTT-M008 1:1 not an agent manifest: this looks like {expected}")]);
    }
    let text = r#"{"agents": [{"symbol": "a.b", "version": "1.0.0"}, {"x": 1}]}"#;
    let valid = check(text, &["RTT-M008 1:52"]);
    assert_eq!(valid[0].pointer, "/agents/0");
}

#[test]
fn reads_the_older_rtt_form() {
    let text = r#"{"symbol": {"saddr": "rtt://core/api/metrics@1.0.0#prom", "type": "api", "direction": "provider",
        "capabilities": ["pull", "pull"], "inputs": [{"name": "q"}], "qos": {"latency_budget_ms": 2, "throughput_qps": 5000},
        "version_set": ">=1.0 <2.0", "tags": {"lang": "rust", "supports_shm": true, "cpu_weight": 1.0, "mem_mb": 128}}}"#;
    let manifests = check(text, &[]);
    let (manifest, form) = (&manifests[0].manifest, manifests[0].form);
    assert_eq!((manifest.id().to_string().as_str(), form), ("core.api.metrics.prom@1.0.0", Form::RttSymbol));
    assert_eq!(manifest.provides.capabilities, ["pull"]);
    assert_eq!((manifest.qos.latency_ms, manifest.resources.memory_mb), (Some(2.0), Some(128.0)));
    assert_eq!(manifest.language.as_deref(), Some("rust"));
    assert_eq!(manifest.metadata["throughput_qps"], 5000);
    // Some writers put the other members beside "symbol".
    let text =
        r#"{"symbol": {"saddr": "rtt://test/api/x"}, "provides": ["a"], "requires": ["rtt://core/api/y@1.2", "no"]}"#;
    let manifests = check(text, &["RTT-M010 1:22 'rtt://test/api/x' names no version", "RTT-M010 1:99 ignored: 'no'"]);
    assert_eq!(manifests[0].manifest.requires[0].version.as_str(), "1.2");
    check(r#"{"symbol": {"type": "api"}}"#, &["RTT-M009 1:12 missing key 'saddr'"]);
    check(r#"{"symbol": {"saddr": "http://x"}}"#, &["RTT-M009 1:22 'http://x' is not an address"]);
}

#[test]
fn reads_the_older_agent_form() {
    let id = |text: &str, notes: &[&str]| {
        let manifests = check(text, notes);
        assert_eq!(manifests[0].form, Form::RttAgent);
        manifests[0].manifest.id().to_string()
    };
    let full = r#"{"id": "s", "name": "S", "desc": "d", "io": {"input": "json"}, "caps": ["c"], "rtt_saddr": "rtt://agent/api/s@2.0.0"}"#;
    assert_eq!(id(full, &[]), "agent.api.s@2.0.0");
    assert_eq!(id(r#"{"id": "Code Fix", "capabilities": [], "version": "1.1"}"#, &[]), "agent.api.code-fix@1.1.0");
    let later =
        r#"{"symbol": "my.app", "version": "1.0.0", "capabilities": ["a"], "rtt_saddr": "rtt://agent/my/app@1.0.0"}"#;
    assert_eq!(id(later, &[]), "agent.my.app@1.0.0");
    assert_eq!(id(r#"{"symbol": "my.app", "version": "1.0.0", "desc": "d"}"#, &[]), "my.app@1.0.0");
    assert_eq!(id(r#"{"caps": [], "name": "n"}"#, &["RTT-M010 1:22 'n' names no version"]), "agent.api.n@1.0.0");
    check(r#"{"caps": []}"#, &["RTT-M009 1:1 an agent without identity"]);
}

#[test]
fn reads_agent_cards() {
    let text = r#"{"name": "Pay Agent", "version": "1.0", "skills": [{"id": "pay"}], "capabilities": {"streaming": true, "x": false},
        "supportedInterfaces": [{"url": "https://pay.acme.dev/a2a", "protocolBinding": "JSONRPC"}]}"#;
    let manifests = check(text, &[]);
    let manifest = &manifests[0].manifest;
    assert_eq!((manifest.id().to_string().as_str(), manifests[0].form), ("a2a.pay-agent@1.0.0", Form::A2aCard));
    assert_eq!(manifest.provides.capabilities, ["pay", "streaming"]);
    assert_eq!(manifest.endpoint.tcp.as_deref(), Some("pay.acme.dev:443"));
    assert!(manifest.provides.methods.contains_key("SendMessage"));
    check(r#"{"skills": [], "version": "1.0.0"}"#, &["RTT-M009 1:1 an agent card without 'name'"]);
    check(
        r#"{"name": "x", "skills": [], "version": "new"}"#,
        &["RTT-M010 1:1 'x' offers no", "RTT-M010 1:40 'new' is not a version"],
    );
}

#[test]
fn reads_mcp_configurations_without_their_secrets() {
    let text = r#"{"mcpServers": {
        "files": {"command": "npx", "args": ["-y", "@scope/files@1.2.0", "/data"], "env": {"TOKEN": "hunter2"}},
        "remote": {"url": "https://mcp.acme.dev/mcp", "headers": {"Authorization": "hunter2"}},
        "off": {"command": "x", "disabled": true},
        "bad": {"args": []}
    }}"#;
    let manifests = check(text, &["RTT-M010 4:16 server 'off' is disabled", "RTT-M009 5:16 server 'bad' has neither"]);
    let ids: Vec<String> = manifests.iter().map(|sourced| sourced.manifest.id().to_string()).collect();
    assert_eq!(ids, ["mcp.files@1.2.0", "mcp.remote@0.0.0"]);
    assert_eq!(manifests[0].manifest.endpoint.stdio.as_ref().map(Vec::len), Some(4));
    assert_eq!(manifests[1].pointer, "/mcpServers/remote");
    assert!(
        manifests
            .iter()
            .all(|sourced| sourced.form == Form::McpConfig && !json::pretty(&sourced.manifest).contains("hunter2"))
    );
}

#[test]
fn reads_mcp_registry_entries() {
    let server = r#"{"name": "io.github.user/weather", "description": "d", "version": "1.0.2",
        "packages": [{"registryType": "npm", "identifier": "@user/weather", "version": "1.0.2", "transport": {"type": "stdio"},
                      "packageArguments": [{"type": "named", "name": "--mode", "value": "x"}, {"type": "positional", "valueHint": "dir"}]}],
        "remotes": [{"type": "streamable-http", "url": "https://w.acme.dev/mcp"}]}"#;
    for text in [
        server.to_owned(),
        format!(r#"{{"server": {server}, "_meta": {{}}}}"#),
        format!(r#"{{"servers": [{server}]}}"#),
    ] {
        let manifests = check(&text, &[]);
        let manifest = &manifests[0].manifest;
        assert_eq!(
            (manifest.id().to_string().as_str(), manifests[0].form),
            ("io.github.user.weather@1.0.2", Form::McpRegistry)
        );
        assert_eq!(manifest.endpoint.stdio.clone().unwrap().join(" "), "npx -y @user/weather@1.0.2 --mode x");
        assert_eq!(manifest.endpoint.tcp.as_deref(), Some("w.acme.dev:443"));
    }
}

#[test]
fn reads_tool_lists_of_both_dialects() {
    let text = r#"{"jsonrpc": "2.0", "id": 1, "result": {"tools": [
        {"name": "a", "inputSchema": {"type": "object", "properties": {"q": {"type": "string"}}}, "outputSchema": {"type": "object"}},
        {"name": "b", "arguments": [{"name": "x", "type": "integer", "desc": "d"}, {"name": "y", "optional": true}]},
        {"name": "c", "arguments": []},
        {"name": "d", "inputSchema": {"type": "objekt"}},
        {"name": "a", "inputSchema": {}}
    ]}}"#;
    let manifests =
        check(text, &["RTT-M010 5:47 the inputSchema of tool 'd'", "RTT-M010 6:9 tool 'a' is listed twice"]);
    let provides = &manifests[0].manifest.provides;
    assert_eq!((manifests[0].form, provides.protocol.as_ref().unwrap().name), (Form::McpTools, ProtocolName::Mcp));
    assert_eq!(manifests[0].manifest.id().to_string(), "mcp.x@0.0.0");
    assert_eq!(provides.methods["b"].params.as_ref().unwrap().value()["required"], serde_json::json!(["x"]));
    assert!(provides.methods["c"].params.is_none() && provides.methods["d"].params.is_none());
    assert!(provides.methods["a"].result.is_some());
    check(r#"{"tools": [{"name": "a", "description": ""}]}"#, &[]);
}

#[test]
fn reads_every_real_manifest() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    for (folder, form, least) in [("mcp-tools/docker-registry", Form::McpTools, 17), ("a2a-cards", Form::A2aCard, 3)] {
        let Ok(entries) = std::fs::read_dir(data.join(folder)) else {
            println!("skipped: no {folder} among the shared data");
            continue;
        };
        let mut read_files = 0;
        for entry in entries {
            let path = entry.expect("readable").path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let reading = read(&name, &std::fs::read(&path).expect("readable"));
            assert!(!reading.is_invalid(), "{name}: {:#?}", reading.diagnostics);
            assert_eq!(reading.manifests.iter().map(|sourced| sourced.form).collect::<Vec<_>>(), [form], "{name}");
            read_files += 1;
        }
        assert!(read_files >= least, "{folder}: {read_files}");
    }
    // None of the other documents may panic or pass for a manifest.
    for folder in ["json-schemas", "jcs/input"] {
        let Ok(entries) = std::fs::read_dir(data.join(folder)) else { continue };
        for entry in entries {
            let path = entry.expect("readable").path();
            let reading = read(&path.to_string_lossy(), &std::fs::read(&path).expect("readable"));
            assert!(reading.is_invalid() && reading.manifests.is_empty(), "{}", path.display());
        }
    }
}

/// Documents made of the keys that forms are recognised by, with values that may be anything.
fn documents() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let key = proptest::sample::select(vec![
        "symbol",
        "version",
        "saddr",
        "rtt_saddr",
        "id",
        "name",
        "caps",
        "capabilities",
        "qos",
        "tags",
        "lang",
        "requires",
        "provides",
        "methods",
        "params",
        "skills",
        "url",
        "supportedInterfaces",
        "mcpServers",
        "command",
        "args",
        "servers",
        "packages",
        "remotes",
        "identifier",
        "registryType",
        "tools",
        "inputSchema",
        "arguments",
        "result",
        "agents",
        "description",
        "endpoint",
        "uds",
        "tcp",
    ]);
    let word =
        prop_oneof!["\\PC{0,12}", "rtt://[a-zA-Z/@#.0-9]{0,20}", "[0-9.x-]{0,8}", "https?://[a-z:0-9\\[\\]@/]{0,12}"];
    let leaf = prop_oneof![
        word.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Value>()),
        ]
    })
}

proptest::proptest! {
    #[test]
    fn whatever_is_read_is_valid_or_reported(document in documents()) {
        let text = document.to_string();
        let reading = read("providers/x.json", text.as_bytes());
        proptest::prop_assert!(!reading.manifests.is_empty() || !reading.diagnostics.is_empty());
        for sourced in &reading.manifests {
            let again = json::pretty(&sourced.manifest);
            let value = json::parse(again.as_bytes()).expect("JSON");
            proptest::prop_assert_eq!(Schema::Manifest.check("T", "x", &again, &value), vec![]);
        }
    }
}
