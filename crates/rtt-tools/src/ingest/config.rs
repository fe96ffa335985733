//! MCP client configurations: which servers they name and how these are started.
//!
//! Their `env` and `headers` hold secrets. A server is started with them; names of variables are kept, values never.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rtt_core::diagnostic::{Diagnostic, Place};
use rtt_core::json::{self, push_token};
use serde_json::{Map, Value};

use crate::mcp::Launch;

/// Words in the names of variables that hold secrets.
const SECRET_WORDS: [&str; 8] = ["KEY", "TOKEN", "SECRET", "PASS", "AUTH", "CREDENTIAL", "COOKIE", "PRIVATE"];
/// Shorter values are no secrets, and would be found everywhere.
const SHORTEST_SECRET: usize = 4;

/// A server of a configuration.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// A child process.
    Stdio(Box<Started>),
    /// One that listens somewhere; the entry as it is but for its secrets.
    Remote(Map<String, Value>),
}

#[derive(Debug, Clone)]
pub(super) struct Started {
    /// With everything filled in.
    pub(super) launch: Launch,
    /// The command as it is written.
    pub(super) command: Vec<String>,
    pub(super) secrets: Secrets,
}

/// Values that must not be written anywhere, by where they come from.
#[derive(Debug, Clone, Default)]
pub(super) struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// Returns the variable whose value a text holds.
    pub(super) fn found_in(&self, text: &str) -> Option<&str> {
        // In JSON a value may be escaped.
        let is_in = |value: &str| {
            let quoted = Value::from(value).to_string();
            text.contains(value) || text.contains(&quoted[1..quoted.len() - 1])
        };
        self.0.iter().find(|(_, value)| is_in(value)).map(|(name, _)| name.as_str())
    }

    /// Replaces the values by their names.
    pub(super) fn redact(&self, text: &str) -> String {
        let mut values: Vec<(&String, &String)> = self.0.iter().collect();
        // One may hold another.
        values.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        values
            .into_iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(value.as_str(), &format!("<{name}>")))
    }

    fn add(&mut self, name: &str, value: &str) {
        if value.len() >= SHORTEST_SECRET {
            self.0.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// Reads a configuration; `variable` fills in `${NAME}`.
pub(super) fn read(
    file: &str,
    bytes: &[u8],
    variable: &dyn Fn(&str) -> Option<String>,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Entry> {
    let document = match json::parse(bytes) {
        Ok(document) => document,
        Err(error) => {
            let help = "expected an MCP client configuration, {\"mcpServers\": {…}}";
            let mut finding = Diagnostic::unreadable_json("RTT-I003", file, bytes, &error).help(help);
            finding.place = finding.place.map(without_line);
            findings.push(finding);
            return Vec::new();
        }
    };
    let text = std::str::from_utf8(bytes).expect("the strict parser accepts only UTF-8");
    let key = ["mcpServers", "servers"].into_iter().find(|key| document.get(key).is_some_and(Value::is_object));
    let Some(key) = key else {
        findings.push(
            Diagnostic::error("RTT-I003", "not an MCP client configuration: it has no object 'mcpServers'")
                .at(Place::value(file, text, ""))
                .help("expected {\"mcpServers\": {\"name\": {\"command\": \"npx\", \"args\": [\"-y\", \"server\"]}}}"),
        );
        return Vec::new();
    };
    let mut entries = Vec::new();
    for (name, server) in document[key].as_object().expect("just looked at") {
        let at = push_token(&format!("/{key}"), name);
        let reader = Reader { file, text, at: &at, variable };
        if server.get("disabled").and_then(Value::as_bool) == Some(true) {
            findings.push(
                Diagnostic::info("RTT-I004", format!("server '{name}' is disabled and left out")).at(reader.place("")),
            );
            continue;
        }
        match reader.kind(name, server) {
            Ok(kind) => entries.push(Entry { name: name.clone(), place: reader.place(""), kind }),
            Err(finding) => findings.push(*finding),
        }
    }
    entries
}

/// A place as it is, but for the line of the file: a secret may stand in it.
fn without_line(place: Place) -> Place {
    Place { snippet: None, ..place }
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    at: &'a str,
    variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Reader<'_> {
    fn place(&self, member: &str) -> Place {
        without_line(Place::value(self.file, self.text, &format!("{}{member}", self.at)))
    }

    fn wrong(&self, member: &str, message: String, help: &str) -> Box<Diagnostic> {
        Box::new(Diagnostic::error("RTT-I003", message).at(self.place(member)).help(help))
    }

    fn kind(&self, name: &str, server: &Value) -> Result<Kind, Box<Diagnostic>> {
        let string = |value: &Value, member: &str| {
            let kind = json::type_name(value);
            value.as_str().map(str::to_owned).ok_or_else(|| {
                self.wrong(member, format!("of type {kind}, expected a string"), "put it in quotation marks")
            })
        };
        let Some(program) = server.get("command") else {
            let mut remote = server.as_object().cloned().unwrap_or_default();
            if !remote.get("url").is_some_and(Value::is_string) {
                let help = r#"add "command": "npx", "args": ["-y", "server"], or "url": "http://localhost:10999/mcp""#;
                return Err(self.wrong("", format!("server '{name}' has neither 'command' nor 'url'"), help));
            }
            remote.retain(|key, _| ["url", "description"].contains(&key.as_str()));
            return Ok(Kind::Remote(remote));
        };
        let mut command = vec![string(program, "/command")?];
        for (index, argument) in server.get("args").and_then(Value::as_array).into_iter().flatten().enumerate() {
            command.push(string(argument, &format!("/args/{index}"))?);
        }
        let mut secrets = Secrets::default();
        let mut env = BTreeMap::new();
        for (variable, value) in server.get("env").and_then(Value::as_object).into_iter().flatten() {
            let member = push_token("/env", variable);
            let value = self.filled(&string(value, &member)?, &member, &mut secrets)?;
            if SECRET_WORDS.iter().any(|word| variable.to_ascii_uppercase().contains(word)) {
                secrets.add(variable, &value);
            }
            env.insert(variable.clone(), value);
        }
        let fill = |(index, word): (usize, &String)| {
            let member = if index == 0 { "/command".to_owned() } else { format!("/args/{}", index - 1) };
            let mut filled_in = Secrets::default();
            self.filled(word, &member, &mut filled_in)
        };
        let filled = command.iter().enumerate().map(fill).collect::<Result<Vec<String>, _>>()?;
        let current_dir = server.get("cwd").map(|folder| string(folder, "/cwd")).transpose()?.map(PathBuf::from);
        let launch = Launch { command: filled, env, current_dir };
        Ok(Kind::Stdio(Box::new(Started { launch, command, secrets })))
    }

    /// Fills in `${NAME}`, `${env:NAME}` and `${NAME:-otherwise}`; what comes out of the environment is a secret.
    fn filled(&self, written: &str, member: &str, secrets: &mut Secrets) -> Result<String, Box<Diagnostic>> {
        let mut out = String::new();
        let mut rest = written;
        while let Some((before, placeholder)) = rest.split_once("${") {
            out.push_str(before);
            let Some((inner, after)) = placeholder.split_once('}') else {
                out.push_str("${");
                rest = placeholder;
                continue;
            };
            let inner = inner.strip_prefix("env:").unwrap_or(inner);
            let (name, otherwise) = inner.split_once(":-").map_or((inner, None), |(name, text)| (name, Some(text)));
            match (self.variable)(name).filter(|value| !(value.is_empty() && otherwise.is_some())) {
                Some(value) => {
                    secrets.add(name, &value);
                    out.push_str(&value);
                }
                None => match otherwise {
                    Some(text) => out.push_str(text),
                    None => {
                        let message = format!("'${{{inner}}}' stands for a variable that is not set");
                        return Err(self.wrong(member, message, "set it in the environment of rtt-mcp-ingest"));
                    }
                },
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> (Vec<Entry>, Vec<Diagnostic>) {
        let mut findings = Vec::new();
        let variable = |name: &str| (name == "HOME_KEY").then(|| "from-outside".to_owned());
        let entries = read("mcp.json", text.as_bytes(), &variable, &mut findings);
        (entries, findings)
    }

    #[test]
    fn secrets_reach_the_server_and_nothing_else() {
        let (entries, findings) = entries(
            r#"{"mcpServers": {"a": {"command": "run", "args": ["--key", "${HOME_KEY}"],
                "env": {"API_KEY": "s3cr\"et", "MODE": "production", "HOME_KEY": "${env:HOME_KEY}", "X": "${Y:-z}"}}}}"#,
        );
        assert_eq!(findings, []);
        let Kind::Stdio(started) = &entries[0].kind else { panic!("it has a command") };
        assert_eq!(started.launch.command, ["run", "--key", "from-outside"]);
        assert_eq!(started.command, ["run", "--key", "${HOME_KEY}"], "what is written down");
        assert_eq!((&*started.launch.env["API_KEY"], &*started.launch.env["X"]), ("s3cr\"et", "z"));
        let secrets = &started.secrets;
        assert_eq!(secrets.found_in(r#"{"x": "a s3cr\"et b"}"#), Some("API_KEY"));
        assert_eq!(secrets.found_in("from-outside"), Some("HOME_KEY"));
        assert_eq!(secrets.found_in("production"), None);
        assert_eq!(secrets.redact("the key s3cr\"et is wrong"), "the key <API_KEY> is wrong");
    }

    #[test]
    fn what_is_wrong_is_said_where_it_stands() {
        let (entries, findings) = entries(
            "{\"servers\": {\n\"a\": {},\n\"b\": {\"command\": \"x\", \"args\": [1]},\n\"c\": {\"command\": \"x\", \"env\": {\"A\": \"${NONE}\"}},\n\"d\": {\"disabled\": true},\n\"e\": {\"url\": \"http://localhost:1/mcp\", \"headers\": {\"Authorization\": \"x\"}}}}",
        );
        let said: Vec<String> = findings
            .iter()
            .map(|finding| {
                let at = finding.place.as_ref().and_then(|place| place.at).expect("located");
                format!("{}:{} {}", at.line, at.column, finding.message)
            })
            .collect();
        assert_eq!(
            said,
            [
                "2:6 server 'a' has neither 'command' nor 'url'",
                "3:32 of type integer, expected a string",
                "4:36 '${NONE}' stands for a variable that is not set",
                "5:6 server 'd' is disabled and left out",
            ]
        );
        let Kind::Remote(remote) = &entries[0].kind else { panic!("it has an address") };
        assert_eq!(remote.keys().collect::<Vec<_>>(), ["url"]);
    }
}
