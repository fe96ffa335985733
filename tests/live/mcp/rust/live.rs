#[path = ".rtt/drivers/rust/lib.rs"]
mod drivers;

use drivers::mcp_everything_v0::{McpEverythingV0, McpEverythingV0EchoParams};
use drivers::mcp_own_v0::McpOwnV0;
use drivers::mcp_time_v0::McpTimeV0;
use drivers::rtt_runtime::{Error, Json, Options};
use std::time::Duration;

const KINDS: [&str; 7] = [
    "stateless-stdio",
    "stateless-uds",
    "handshake-stdio",
    "handshake-uds",
    "oldest-stdio",
    "abrupt-stdio",
    "abrupt-uds",
];

fn options(agent: &str) -> Options {
    Options { agent: Some(format!("a.{agent}")), timeout: Some(Duration::from_secs(60)), ..Options::default() }
}

fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}

fn text(text: &str) -> Json {
    Json::String(text.to_string())
}

/// The text in a result's first content, or in one of its members.
fn shown<'a>(result: &'a Json, member: Option<&str>) -> &'a str {
    let found = match member {
        Some(name) => result.get(name),
        None => result.items()[0].get("text"),
    };
    found.and_then(Json::as_str).expect("a text")
}

/// The code, message and data of the error that a call must end with.
fn refusal(answer: Result<Json, Error>) -> (i64, String, Json) {
    match answer {
        Err(Error::Remote { code, message, data, .. }) => (code, message, data),
        other => panic!("not a refusal: {other:?}"),
    }
}

fn show_real(lane: &str) {
    let mut everything = McpEverythingV0::open(&options(lane)).unwrap();
    let content = everything.echo(&McpEverythingV0EchoParams { message: "hé ☃".to_string() }).unwrap();
    println!("{lane} {}", shown(&content, None));
    let sum = everything.call("get-sum", &object([("a", Json::Integer(1)), ("b", Json::Integer(2))])).unwrap();
    println!("{lane} {}", shown(&sum, None));
    let weather = everything.call("get-structured-content", &object([("location", text("New York"))])).unwrap();
    println!("{lane} {}", weather.get("humidity").unwrap());
    let wrong = object([("resourceType", text("Text")), ("resourceId", Json::Integer(-1))]);
    let (code, message, data) = refusal(everything.call("get-resource-reference", &wrong));
    println!("{lane} {code} {} {}", message.split(':').next().unwrap(), shown(&data.items()[0], Some("type")));
    everything.close();
    let mut time = McpTimeV0::open(&options(lane)).unwrap();
    let place = |source: &str| {
        object([("source_timezone", text(source)), ("time", text("12:00")), ("target_timezone", text("UTC"))])
    };
    let there = time.call("convert_time", &place("Asia/Tokyo")).unwrap();
    println!("{lane} {}", shown(&there, Some("time_difference")));
    let (code, message, _) = refusal(time.call("convert_time", &place("Mars/Phobos")));
    println!("{lane} {code} {message}");
}

fn show_own(kind: &str) {
    let mut own = McpOwnV0::open(&options(kind)).unwrap();
    let echoed = own.call("echo", &object([("text", text(kind))])).unwrap();
    let plain = own.call("plain", &Json::Null).unwrap();
    println!("{} {} {}", shown(&echoed, Some("text")), shown(&echoed, Some("era")), shown(&plain, None));
    let (code, message, data) = refusal(own.call("refuse", &Json::Null));
    println!("{kind} {code} {} {}", message.replace('\n', " "), data.items().len());
    println!("{kind} {}", refusal(own.call("nope", &Json::Null)).0);
    match own.call("ask", &Json::Null) {
        Err(Error::Protocol { .. }) if kind.starts_with("stateless") => println!("{kind} input refused"),
        answers => {
            let answers = answers.unwrap();
            let code = |method: &str| answers.get(method).unwrap().clone();
            println!("{kind} {} {}", code("roots/list"), code("sampling/createMessage"));
        }
    }
    assert!(matches!(own.call("die", &Json::Null), Err(Error::Protocol { .. })));
    if own.health() {
        let again = own.call("echo", &object([("text", text("again"))])).unwrap();
        println!("{kind} restarted {}", shown(&again, Some("text")));
    }
}

fn main() {
    for lane in ["stdio", "uds"] {
        show_real(lane);
    }
    for kind in KINDS {
        show_own(kind);
    }
    for kind in ["silent-stdio", "late-stdio"] {
        let mut own = McpOwnV0::open(&options(kind)).unwrap();
        let echoed = own.call("echo", &object([("text", text(kind))])).unwrap();
        println!("{} {}", shown(&echoed, Some("text")), shown(&echoed, Some("era")));
    }
    for kind in ["newer-stdio", "unknown-stdio", "missing-stdio"] {
        assert!(matches!(McpOwnV0::open(&options(kind)), Err(Error::Connect { .. })));
        println!("{kind} not reached");
    }
}
