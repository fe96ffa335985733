#[path = ".rtt/drivers/rust/lib.rs"]
mod drivers;

use drivers::agent_test_nasty_v1::{
    AgentTestNastyV1, AgentTestNastyV1ClassParams, AgentTestNastyV1DepthParams, AgentTestNastyV1DepthParamsTree,
    AgentTestNastyV1EchoIntegerParams, AgentTestNastyV1EchoTextParams,
};
use drivers::rtt_runtime::{Error, Json, Options};
use std::collections::BTreeMap;
use std::time::Duration;

fn options(agent: &str) -> Options {
    Options { agent: Some(agent.to_string()), timeout: Some(Duration::from_secs(20)), ..Options::default() }
}

fn node(value: &str, children: Vec<Json>) -> Json {
    let value = ("value".to_string(), Json::String(value.to_string()));
    Json::Object(BTreeMap::from([value, ("children".to_string(), Json::Array(children))]))
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
    let tree = AgentTestNastyV1DepthParamsTree { value: "root".to_string(), children: Some(children) };
    let found = nasty.depth(&AgentTestNastyV1DepthParams { tree }).unwrap();
    println!("depth {} {}", found.depth, found.deepest.value);
    let words = AgentTestNastyV1ClassParams { import: "word".to_string(), end: Some(true), ..Default::default() };
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
}
