#[path = ".rtt/drivers/rust/lib.rs"]
mod drivers;

use drivers::agent_test_nasty_v1 as api;
use drivers::agent_test_nasty_v1::{
    AgentTestNastyV1, AgentTestNastyV1ClassParams, AgentTestNastyV1DepthParams, AgentTestNastyV1DepthParamsNode as Node,
    AgentTestNastyV1EchoIntegerParams, AgentTestNastyV1EchoTextParams, AgentTestNastyV1TypedParamsNode as Tree,
};
use drivers::rtt_runtime::{Error, Json, Options};
use drivers::rtt_values::write_time;
use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

fn options(agent: &str) -> Options {
    Options { agent: Some(agent.to_string()), timeout: Some(Duration::from_secs(20)), ..Options::default() }
}

fn node(value: &str, children: Vec<Node>) -> Node {
    Node { children: Some(children), ..Node::new(value.to_string()) }
}

fn text(text: &str) -> AgentTestNastyV1EchoTextParams {
    AgentTestNastyV1EchoTextParams { text: text.to_string() }
}

fn main() {
    let mut nasty = AgentTestNastyV1::open(&options("a.live")).unwrap();
    println!("instance {}", nasty.instance());
    println!("text {}", nasty.echo_text(&text("naïve ☃ 𝄞 \"quoted\" \\ end")).unwrap());
    let number = AgentTestNastyV1EchoIntegerParams { number: 9007199254740991 };
    println!("integer {}", nasty.echo_integer(&number).unwrap());
    let children = vec![node("twig", vec![node("leaf", vec![])]), node("leaf", vec![])];
    let found = nasty.depth(&AgentTestNastyV1DepthParams { tree: node("root", children) }).unwrap();
    println!("depth {} {}", found.depth, found.deepest.value);
    let words = AgentTestNastyV1ClassParams { end: Some(true), ..AgentTestNastyV1ClassParams::new("word".to_string()) };
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
    show_types();
}

fn show_types() {
    let mut nasty = AgentTestNastyV1::open(&options("a.live")).unwrap();
    let circle = api::AgentTestNastyV1TypedParamsCircle::new(api::AgentTestNastyV1TypedParamsCircleKind::Circle, 2.5);
    let tree = Tree {
        children: Some(vec![Tree::new("leaf".to_string())]),
        next: Some(Box::new(Tree::new("after".to_string()))),
        ..Tree::new("root".to_string())
    };
    let sample = api::AgentTestNastyV1TypedParamsSample::new(
        api::AgentTestNastyV1TypedParamsSampleShape::Circle(circle),
        api::AgentTestNastyV1TypedParamsColor::DarkRed,
        UNIX_EPOCH + Duration::from_secs(1_795_608_000),
        vec![0x00, 0xff, 0x41],
        api::AgentTestNastyV1TypedParamsSamplePair("x".to_string(), 7),
        tree,
        BTreeMap::from([("a".to_string(), 1)]),
        api::AgentTestNastyV1TypedParamsSampleScalar::Integer(42),
        api::AgentTestNastyV1TypedParamsSampleMerged { left: "l".to_string(), right: 1.0 },
        None,
    );
    let found = nasty.typed(&api::AgentTestNastyV1TypedParams { sample }).unwrap();
    let api::AgentTestNastyV1TypedResultSampleShape::Circle(circle) = found.shape else { panic!("not a circle") };
    let api::AgentTestNastyV1TypedResultSampleScalar::Integer(scalar) = found.scalar else { panic!("not an integer") };
    let hex: String = found.data.iter().map(|byte| format!("{byte:02x}")).collect();
    let counts: Vec<String> = found.counts.iter().map(|(name, count)| format!("{name}={count}")).collect();
    println!(
        "typed circle {} | {} | {} | {hex} | {} {} | {} {} | {} | {scalar} | {} {} | linked {} | maybe {}",
        circle.radius,
        found.color.as_str(),
        write_time(found.at),
        found.pair.0,
        found.pair.1,
        found.tree.children.unwrap()[0].value,
        found.tree.next.unwrap().value,
        counts.join(","),
        found.merged.left,
        found.merged.right,
        if found.linked.is_none() { "none" } else { "some" },
        if found.maybe.is_none() { "absent" } else { "there" },
    );
    if let Err(Error::Protocol { .. }) = nasty.misfit(&Json::Null) {
        println!("misfit refused");
    }
    if let api::AgentTestNastyV1EitherResult::Right(right) = nasty.either(&Json::Null).unwrap() {
        println!("either right {}", right.right.unwrap());
    }
}
