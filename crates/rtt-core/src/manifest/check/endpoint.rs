//! Checks of where an agent listens: addresses that can be dialled, names that stay in their folder, lanes that fit.

use super::{Findings, wording};
use crate::diagnostic::Diagnostic;
use crate::lane::Lane;
use crate::manifest::{Endpoint, Manifest};
use crate::registry::MAX_SOCKET_NAME;
use crate::text;

/// Checks each part of an endpoint; of several things that are wrong with one, the first is reported.
pub(super) fn check(findings: &mut Findings, endpoint: &Endpoint) {
    if let Some(finding) = endpoint.uds.as_deref().and_then(socket_name) {
        findings.value("/endpoint/uds", finding);
    }
    if let Some(finding) = endpoint.tcp.as_deref().and_then(address) {
        findings.value("/endpoint/tcp", finding);
    }
    if let Some(words) = &endpoint.stdio {
        command(findings, words);
    }
}

/// Checks that endpoints are of lanes that are offered, and that a lane which needs one has it.
pub(super) fn lanes(findings: &mut Findings, manifest: &Manifest) {
    let (endpoint, offered) = (&manifest.endpoint, manifest.lanes());
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
            findings.value(
                &format!("/endpoint/{lane}"),
                finding.help(format!("add \"{lane}\" to provides.lanes, or remove the endpoint")),
            );
        }
    }
    if endpoint.stdio.is_none()
        && let Some(index) = offered.iter().position(|lane| *lane == Lane::Stdio)
    {
        let finding = Diagnostic::warning(
            "RTT-M006",
            "'stdio' is offered, but there is no endpoint.stdio, so no caller can start the agent",
        );
        findings.value(
            &format!("/provides/lanes/{index}"),
            finding.help(r#"add the command, for example "endpoint": {"stdio": ["tsdb-server", "--stdio"]}"#),
        );
    }
}

fn socket_name(name: &str) -> Option<Diagnostic> {
    if let Some(placeholder) = text::placeholders(name).next() {
        return Some(
            Diagnostic::error("RTT-M017", unfilled("uds", placeholder))
                .help("write the socket's file name, for example \"tsdb.sock\""),
        );
    }
    let problem = if name.is_empty() {
        "is empty".to_owned()
    } else if name.contains(['/', '\\', '\0']) || name == "." || name == ".." {
        format!("is '{name}', which is not a plain file name")
    } else if name.len() > MAX_SOCKET_NAME {
        format!("has {} bytes, more than the {MAX_SOCKET_NAME} that a socket address leaves", name.len())
    } else {
        return wording::name("endpoint.uds", name);
    };
    let finding = Diagnostic::error(
        "RTT-M006",
        format!("endpoint.uds {problem}, expected a file name inside .rtt/sockets/ without '/' or '..'"),
    );
    Some(finding.help("for example \"tsdb.sock\""))
}

fn address(address: &str) -> Option<Diagnostic> {
    const EXAMPLE: &str = "for example \"127.0.0.1:7071\" or \"[::1]:7071\"";
    if let Some(placeholder) = text::placeholders(address).next() {
        return Some(
            Diagnostic::error("RTT-M017", unfilled("tcp", placeholder)).help(format!("write the address, {EXAMPLE}")),
        );
    }
    if let Some(hidden) = wording::name("endpoint.tcp", address) {
        return Some(hidden);
    }
    if !is_host_port(address) {
        let message = format!("endpoint.tcp is '{address}', expected host:port with a port from 1 to 65535");
        return Some(Diagnostic::error("RTT-M006", message).help(EXAMPLE));
    }
    let (host, _) = address.rsplit_once(':')?;
    is_example(host).then(|| {
        let message =
            format!("endpoint.tcp is on '{host}', a name reserved for examples (RFC 2606), where no agent can listen");
        Diagnostic::error("RTT-M018", message).help(format!("write the address that the agent listens on, {EXAMPLE}"))
    })
}

fn command(findings: &mut Findings, words: &[String]) {
    let Some(program) = words.first().filter(|program| !program.trim().is_empty()) else {
        let finding =
            Diagnostic::error("RTT-M006", "endpoint.stdio names no command, expected a command and its arguments");
        return findings.value("/endpoint/stdio", finding.help("for example [\"tsdb-server\", \"--stdio\"]"));
    };
    if let Some(placeholder) = text::placeholders(program).next() {
        let help = "write the program's name or path, for example \"tsdb-server\"; it is started without a shell";
        findings.value("/endpoint/stdio/0", Diagnostic::error("RTT-M017", unfilled("stdio", placeholder)).help(help));
    }
    for (index, word) in words.iter().enumerate() {
        let member = || format!("/endpoint/stdio/{index}");
        if word.contains('\0') {
            let finding =
                Diagnostic::error("RTT-M006", "endpoint.stdio holds a NUL character, which no command line can carry");
            findings.value(&member(), finding.help("remove it"));
        } else if let Some(finding) = wording::argument("the command's word", word) {
            findings.value(&member(), finding);
        }
        // References to variables may be meant for the program that gets them.
        let is_reference = |placeholder: &&str| placeholder.starts_with("${") || placeholder.starts_with('%');
        if index > 0
            && let Some(placeholder) = text::placeholders(word).find(|placeholder| !is_reference(placeholder))
        {
            let finding = Diagnostic::warning("RTT-M017", unfilled("stdio", placeholder));
            findings.value(&member(), finding.help("write what it stands for"));
        }
    }
}

fn unfilled(part: &str, placeholder: &str) -> String {
    format!("endpoint.{part} holds the placeholder '{placeholder}', which nothing fills in")
}

/// Tells whether a text is `host:port`, `[v6 address]:port` included.
pub(in crate::manifest) fn is_host_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let host_is_valid = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')),
    };
    let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    host_is_valid && digits && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Tells whether a host's name is one that RFC 2606 keeps free of real hosts, for examples or as never valid.
/// `.test` and `.localhost` are for private use and may well be dialled.
fn is_example(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    ["example", "invalid", "example.com", "example.net", "example.org"]
        .iter()
        .any(|reserved| host.strip_suffix(reserved).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}
