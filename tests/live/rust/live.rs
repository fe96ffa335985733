#[path = ".rtt/drivers/rust/lib.rs"]
mod drivers;

use drivers::agent_test_nasty_v1 as api;
use drivers::agent_test_nasty_v1::AgentTestNastyV1;
use drivers::rtt_runtime::{from_rfc3339, rfc3339, Error, Json, Options};
use std::collections::BTreeMap;
use std::time::Duration;

fn options(agent: &str) -> Options {
    Options { agent: Some(agent.to_string()), timeout: Some(Duration::from_secs(20)), ..Options::default() }
}

fn node(value: &str, children: Vec<api::AgentTestNastyV1DepthParamsNode>) -> api::AgentTestNastyV1DepthParamsNode {
    api::AgentTestNastyV1DepthParamsNode { value: value.to_string(), children: Some(children) }
}

fn text(text: &str) -> api::AgentTestNastyV1EchoTextParams {
    api::AgentTestNastyV1EchoTextParams { text: text.to_string() }
}

fn main() {
    let mut nasty = AgentTestNastyV1::open(&options("a.live")).unwrap();
    println!("instance {}", nasty.instance());
    println!("text {}", nasty.echo_text(&text("naïve ☃ 𝄞 \"quoted\" \\ end")).unwrap());
    let number = api::AgentTestNastyV1EchoIntegerParams { number: 9007199254740991 };
    println!("integer {}", nasty.echo_integer(&number).unwrap());
    let children = vec![node("twig", vec![node("leaf", vec![])]), node("leaf", vec![])];
    let tree = node("root", children);
    let found = nasty.depth(&api::AgentTestNastyV1DepthParams { tree }).unwrap();
    println!("depth {} {}", found.depth, found.deepest.value);
    let words = api::AgentTestNastyV1ClassParams {
        end: Some(true),
        ..api::AgentTestNastyV1ClassParams::new("word".to_string())
    };
    println!("keywords {}", nasty.class(&words).unwrap().return_);
    println!("empty {}", nasty.ping_empty(&Json::Null).unwrap());
    println!("large {}", nasty.echo_text(&text(&"x".repeat(1048576))).unwrap().len());
    if let Err(Error::Remote { code, message, .. }) = nasty.fail(&Json::Null) {
        println!("remote {code} {message}");
    }
    nasty.set_timeout(Duration::from_millis(300));
    if let Err(Error::Timeout { .. }) = nasty.slow(&Json::Null) {
        println!("timeout");
    }
    nasty.set_timeout(Duration::from_secs(20));
    for (method, name) in [("wrong_id", "wrong id"), ("garbage", "garbage"), ("half_line", "half a line")] {
        if let Err(Error::Protocol { .. }) = nasty.call(method, &Json::Null) {
            println!("{name} refused");
        }
    }
    let wrong = Json::Object(BTreeMap::from([("text".to_string(), Json::Integer(7))]));
    if let Err(Error::Protocol { .. }) = nasty.call("echo_text", &wrong) {
        println!("wrong type refused");
    }
    if nasty.health() {
        println!("healthy");
    }
    if let Err(Error::Protocol { .. }) = nasty.shut_down(&Json::Null) {
        print!("failover ");
    }
    let again = nasty.echo_text(&text("again")).unwrap();
    println!("{} {again}", nasty.instance());
    nasty.close();
    if let Err(Error::NoRoute { .. }) = AgentTestNastyV1::open(&options("a.nobody")) {
        println!("no route");
    }
    typed();
}

/// Sends and prints one value of each declared kind.
fn typed() {
    type Node = api::AgentTestNastyV1TypedParamsNode;
    let leaf = |value: &str| Node::new(value.to_string());
    let mut nasty = AgentTestNastyV1::open(&options("a.live")).unwrap();
    let sample = api::AgentTestNastyV1TypedParamsSample {
        shape: api::AgentTestNastyV1TypedParamsSampleShape::Circle(api::AgentTestNastyV1TypedParamsCircle {
            kind: api::AgentTestNastyV1TypedParamsCircleKind::Circle,
            radius: 2.5,
        }),
        color: api::AgentTestNastyV1TypedParamsColor::DarkRed,
        at: from_rfc3339("2026-11-25T13:00:00+01:00").unwrap(),
        data: vec![0x00, 0xff, 0x41],
        pair: api::AgentTestNastyV1TypedParamsSamplePair("x".to_string(), 7),
        tree: Node { children: Some(vec![leaf("leaf")]), next: Some(Box::new(leaf("after"))), ..leaf("root") },
        counts: BTreeMap::from([("a".to_string(), 1)]),
        scalar: api::AgentTestNastyV1TypedParamsSampleScalar::Integer(42),
        maybe: None,
        merged: api::AgentTestNastyV1TypedParamsSampleMerged { left: "l".to_string(), right: 1.0 },
        linked: None,
    };
    let found = nasty.typed(&api::AgentTestNastyV1TypedParams { sample }).unwrap();
    if let api::AgentTestNastyV1TypedResultSampleShape::Circle(circle) = &found.shape {
        print!("typed circle {}", circle.radius);
    }
    let data: String = found.data.iter().map(|byte| format!("{byte:02x}")).collect();
    print!(" | {} | {} | {data}", found.color.as_str(), rfc3339(found.at).unwrap());
    print!(" | {} {}", found.pair.0, found.pair.1);
    print!(" | {} {}", found.tree.children.unwrap()[0].value, found.tree.next.unwrap().value);
    for (name, count) in &found.counts {
        print!(" | {name}={count}");
    }
    if let api::AgentTestNastyV1TypedResultSampleScalar::Integer(number) = found.scalar {
        print!(" | {number}");
    }
    print!(" | {} {}", found.merged.left, found.merged.right);
    print!(" | linked {}", if found.linked.is_none() { "none" } else { "some" });
    println!(" | maybe {}", if found.maybe.is_none() { "absent" } else { "there" });
    if let Err(Error::Protocol { .. }) = nasty.misfit(&Json::Null) {
        println!("misfit refused");
    }
}
