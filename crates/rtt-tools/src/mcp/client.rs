//! The conversation: which revision a server speaks, and its tools, page by page.

use std::collections::BTreeSet;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rtt_core::clock;
use rtt_core::json;
use serde_json::{Value, json};

use super::process::{Interrupt, Launch, NoOutput, Output, Process};

/// The revision without a handshake.
const STATELESS: &str = "2026-07-28";
/// Those with one, the newest first.
const HANDSHAKES: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
/// How a server of the stateless revision refuses a request for its version, capabilities or headers.
const REFUSALS: [i64; 3] = [-32022, -32021, -32020];
/// JSON-RPC: there is no such method.
const UNKNOWN_METHOD: i64 = -32601;
/// How long the answer to the first question is waited for: an older server may leave what it does not know unanswered.
const PROBE: Duration = Duration::from_secs(3);
/// The most tools that are taken from one server.
pub const MAX_TOOLS: usize = 10_000;
/// The most pages that a list may have.
const MAX_PAGES: usize = 1000;
/// How much of what a server said is repeated in a message, in characters.
const EXCERPT: usize = 200;

/// What a server says of itself and of its tools.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The revision in which it was spoken to.
    pub revision: String,
    /// Its `serverInfo`; null where it gives none.
    pub server: Value,
    /// Its tools as they are, in its order.
    pub tools: Vec<Value>,
    /// Whether it says that it has tools at all.
    pub offers_tools: bool,
}

/// Why a server's tools could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It could not be started.
    #[error("cannot start '{program}': {source}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It closed its output before it had answered.
    #[error("the server ended without an answer to {method} ({})", .status.map_or_else(|| "unknown status".to_owned(), |status| status.to_string()))]
    Ended {
        /// What it was asked.
        method: String,
        /// How it ended.
        status: Option<ExitStatus>,
        /// The end of its error output.
        stderr: String,
    },
    /// It did not answer in time.
    #[error("no answer to {method} within {} s", .timeout.as_secs())]
    TimedOut {
        /// What it was asked.
        method: String,
        /// How long it had for everything.
        timeout: Duration,
        /// The end of its error output.
        stderr: String,
    },
    /// It answered with an error.
    #[error("{method} was refused: {message} (error {code})")]
    Refused {
        /// What it was asked.
        method: String,
        /// The error's code.
        code: i64,
        /// The error's message.
        message: String,
        /// The end of its error output.
        stderr: String,
    },
    /// It does not keep to the protocol.
    #[error("the server does not speak the protocol: {what}")]
    Protocol {
        /// What it did.
        what: String,
        /// The end of its error output.
        stderr: String,
    },
    /// This process was told to end.
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// Returns the end of the server's error output, if it was reached at all.
    pub fn stderr(&self) -> &str {
        match self {
            Self::Ended { stderr, .. }
            | Self::TimedOut { stderr, .. }
            | Self::Refused { stderr, .. }
            | Self::Protocol { stderr, .. } => stderr,
            Self::Start { .. } | Self::Interrupted => "",
        }
    }
}

/// Starts a server, lists its tools and ends it.
///
/// # Errors
/// [`Failure`]; the server is ended then, too.
pub fn list_tools(launch: &Launch, timeout: Duration, interrupt: &Interrupt) -> Result<Listing, Failure> {
    let deadline = clock::stopwatch() + timeout;
    let start = || {
        Process::start(launch, interrupt)
            .map_err(|source| Failure::Start { program: launch.command[0].clone(), source })
    };
    let mut client = Client { process: start()?, meta: None, next_id: 0 };
    let listing = client.list(deadline, &mut || start());
    // Ended in any case, also to have all of its error output.
    let (status, stderr) = client.process.end();
    listing.map_err(|trouble| match trouble {
        Trouble::Ended(method) => Failure::Ended { method: method.to_owned(), status, stderr },
        Trouble::TimedOut(method) => Failure::TimedOut { method: method.to_owned(), timeout, stderr },
        Trouble::Refused(Refusal { method, code, message, .. }) => {
            Failure::Refused { method: method.to_owned(), code, message, stderr }
        }
        Trouble::Protocol(what) => Failure::Protocol { what, stderr },
        Trouble::Interrupted => Failure::Interrupted,
        Trouble::Start(failure) => failure,
    })
}

/// What went wrong, before the server was ended.
enum Trouble {
    Ended(&'static str),
    TimedOut(&'static str),
    Refused(Refusal),
    Protocol(String),
    Interrupted,
    Start(Failure),
}

struct Refusal {
    method: &'static str,
    code: i64,
    message: String,
    data: Value,
}

struct Client {
    process: Process,
    /// What every request carries in the stateless revision.
    meta: Option<Value>,
    next_id: u64,
}

impl Client {
    fn list(
        &mut self,
        deadline: Instant,
        restart: &mut dyn FnMut() -> Result<Process, Failure>,
    ) -> Result<Listing, Trouble> {
        let (revision, about) = self.open(deadline, restart)?;
        let server = about.get("serverInfo").or_else(|| about.pointer("/_meta/io.modelcontextprotocol~1serverInfo"));
        let offers_tools = about.pointer("/capabilities/tools").is_some_and(|value| !value.is_null())
            // Late servers are not asked what they can do.
            || about.is_null();
        let tools = if offers_tools { self.pages(deadline)? } else { Vec::new() };
        Ok(Listing { revision: revision.to_owned(), server: server.cloned().unwrap_or_default(), tools, offers_tools })
    }

    /// Finds out which revision the server speaks; returns it with what the server says of itself.
    fn open(
        &mut self,
        deadline: Instant,
        restart: &mut dyn FnMut() -> Result<Process, Failure>,
    ) -> Result<(&'static str, Value), Trouble> {
        let about_us = json!({"name": "rtt-mcp-ingest", "version": rtt_core::VERSION});
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": STATELESS,
            "io.modelcontextprotocol/clientInfo": about_us,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let now = clock::stopwatch();
        let probe_end = (now + PROBE).min(now + deadline.saturating_duration_since(now) / 2);
        self.meta = Some(meta.clone());
        let mut is_late = false;
        let offered: Vec<String> = match self.exchange("server/discover", json!({}), probe_end) {
            Ok(found) => {
                let offered = strings(found.get("supportedVersions"));
                if offered.iter().any(|version| version == STATELESS) {
                    return Ok((STATELESS, found));
                }
                offered
            }
            Err(Trouble::Refused(refusal)) if REFUSALS.contains(&refusal.code) => {
                strings(refusal.data.get("supported"))
            }
            // Any other error is how an older server meets a method that it does not know.
            Err(Trouble::Refused(_)) => HANDSHAKES.map(str::to_owned).to_vec(),
            Err(Trouble::TimedOut(_)) => {
                is_late = true;
                HANDSHAKES.map(str::to_owned).to_vec()
            }
            // Some older servers hang up then.
            Err(Trouble::Ended(_)) => {
                self.process = restart().map_err(Trouble::Start)?;
                HANDSHAKES.map(str::to_owned).to_vec()
            }
            Err(other) => return Err(other),
        };
        let unknown =
            |versions: &str| Trouble::Protocol(format!("it speaks {versions}, no revision that is known here"));
        if !HANDSHAKES.iter().any(|known| offered.iter().any(|version| version == known)) {
            return Err(unknown(&excerpt(&offered.join(", "))));
        }
        self.meta = None;
        let request = json!({"protocolVersion": HANDSHAKES[0], "capabilities": {}, "clientInfo": about_us});
        let found = match self.exchange("initialize", request, deadline) {
            // It was merely late: only the stateless revision knows no handshake.
            Err(Trouble::Refused(_)) if is_late => {
                self.meta = Some(meta);
                let found = self.exchange("server/discover", json!({}), deadline)?;
                return Ok((STATELESS, found));
            }
            found => found?,
        };
        let spoken = found.get("protocolVersion").and_then(Value::as_str).unwrap_or("no revision");
        let revision =
            HANDSHAKES.into_iter().find(|known| *known == spoken).ok_or_else(|| unknown(&excerpt(spoken)))?;
        self.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        Ok((revision, found))
    }

    fn pages(&mut self, deadline: Instant) -> Result<Vec<Value>, Trouble> {
        let mut tools = Vec::new();
        let mut cursors = BTreeSet::new();
        let mut params = json!({});
        let wrong = |what: String| Err(Trouble::Protocol(what));
        for _ in 0..MAX_PAGES {
            let mut page = self.exchange("tools/list", params, deadline)?;
            match page.get_mut("tools").map(Value::take) {
                Some(Value::Array(items)) => tools.extend(items),
                _ => return wrong("the result of tools/list has no list 'tools'".to_owned()),
            }
            if tools.len() > MAX_TOOLS {
                return wrong(format!("it lists more than {MAX_TOOLS} tools"));
            }
            match page.get_mut("nextCursor").map(Value::take) {
                None | Some(Value::Null) => return Ok(tools),
                Some(Value::String(cursor)) => {
                    if !cursors.insert(cursor.clone()) {
                        return wrong(
                            "tools/list gives the same 'nextCursor' twice, so the list has no end".to_owned(),
                        );
                    }
                    params = json!({"cursor": cursor});
                }
                Some(_) => return wrong("'nextCursor' of tools/list is not a string".to_owned()),
            }
        }
        wrong(format!("the list of tools has more than {MAX_PAGES} pages"))
    }

    fn say(&self, message: &Value) {
        self.process.send(message.to_string().into_bytes());
    }

    /// Sends a request and waits for its answer; what the server asks meanwhile is answered, what it notes passed over.
    fn exchange(&mut self, method: &'static str, mut params: Value, deadline: Instant) -> Result<Value, Trouble> {
        self.next_id += 1;
        let id = self.next_id;
        if let Some(meta) = &self.meta {
            params["_meta"] = meta.clone();
        }
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let line = match self.process.receive(deadline) {
                Ok(Output::Line(line)) => line,
                Ok(Output::TooLong) => {
                    return Err(Trouble::Protocol(format!("a line has more than {} bytes", json::MAX_BYTES)));
                }
                Ok(Output::End) => return Err(Trouble::Ended(method)),
                Err(NoOutput::TimedOut) => return Err(Trouble::TimedOut(method)),
                Err(NoOutput::Interrupted) => return Err(Trouble::Interrupted),
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let message = json::parse(&line).map_err(|error| {
                let said = excerpt(String::from_utf8_lossy(&line).trim());
                Trouble::Protocol(format!("a line of its output is not a JSON-RPC message ({}): {said}", error.kind))
            })?;
            // The revision 2025-03-26 lets a server send several at once.
            let messages = if let Value::Array(messages) = message { messages } else { vec![message] };
            for mut message in messages {
                if message.get("method").is_some() {
                    self.answer(&message);
                } else if message.get("id").and_then(Value::as_u64) == Some(id) {
                    return outcome(method, &mut message);
                }
                // Anything else answers what was given up before.
            }
        }
    }

    /// Answers a request of the server: we live, and can do nothing for it.
    fn answer(&self, request: &Value) {
        let Some(id) = request.get("id").filter(|id| !id.is_null()) else { return };
        if request.get("method").and_then(Value::as_str) == Some("ping") {
            self.say(&json!({"jsonrpc": "2.0", "id": id, "result": {}}));
        } else {
            let error = json!({"code": UNKNOWN_METHOD, "message": "Method not found"});
            self.say(&json!({"jsonrpc": "2.0", "id": id, "error": error}));
        }
    }
}

fn outcome(method: &'static str, message: &mut Value) -> Result<Value, Trouble> {
    if let Some(error) = message.get_mut("error").map(Value::take) {
        let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
        let text = error.get("message").and_then(Value::as_str).unwrap_or("no reason given");
        let data = error.get("data").cloned().unwrap_or_default();
        return Err(Trouble::Refused(Refusal { method, code, message: excerpt(text), data }));
    }
    let result = message.get_mut("result").map(Value::take).unwrap_or_default();
    if !result.is_object() {
        return Err(Trouble::Protocol(format!("the result of {method} is not an object")));
    }
    match result.get("resultType").and_then(Value::as_str) {
        None | Some("complete") => Ok(result),
        Some(other) => Err(Trouble::Protocol(format!("the result of {method} is of the type '{}'", excerpt(other)))),
    }
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn excerpt(text: &str) -> String {
    let mut shown: String = text.chars().take(EXCERPT).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
