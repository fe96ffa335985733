#include <iostream>

#include ".rtt/drivers/cpp/agent_test_nasty_v1.hpp"

using namespace std::chrono_literals;
using rtt::Json;

template <class Failure, class Call> void expect(Call call, const std::string &line) {
    try {
        call();
    } catch (const Failure &) {
        std::cout << line << std::flush;
    }
}

Json node(const char *value, Json::Array children) { return Json::Object{{"value", value}, {"children", std::move(children)}}; }

int main() {
    rtt::Options options;
    options.agent = "a.live";
    options.timeout = 20s;
    rtt::AgentTestNastyV1 nasty(options);
    std::cout << "instance " << nasty.instance() << '\n';
    std::cout << "text " << nasty.echo_text({"naïve ☃ 𝄞 \"quoted\" \\ end"}) << '\n';
    std::cout << "integer " << nasty.echo_integer({9007199254740991}) << '\n';
    const Json leaf = node("leaf", {});
    const auto found = nasty.depth({{"root", Json::Array{node("twig", {leaf}), leaf}}});
    std::cout << "depth " << found.depth << ' ' << found.deepest.value << '\n';
    rtt::AgentTestNastyV1ClassParams words;
    words.import = "word";
    words.end = true;
    std::cout << "keywords " << nasty.class_(words).return_ << '\n';
    std::cout << "empty " << nasty.ping_empty() << '\n';
    std::cout << "large " << nasty.echo_text({std::string(1048576, 'x')}).size() << '\n';
    try {
        nasty.fail();
    } catch (const rtt::RemoteError &error) {
        std::cout << "remote " << error.code << ' ' << error.message << '\n';
    }
    nasty.set_timeout(300ms);
    expect<rtt::CallTimeoutError>([&] { nasty.slow(); }, "timeout\n");
    nasty.set_timeout(20s);
    expect<rtt::ProtocolError>([&] { nasty.call("wrong_id"); }, "wrong id refused\n");
    expect<rtt::ProtocolError>([&] { nasty.call("garbage"); }, "garbage refused\n");
    expect<rtt::ProtocolError>([&] { nasty.call("half_line"); }, "half a line refused\n");
    expect<rtt::ProtocolError>([&] { nasty.call("echo_text", Json::Object{{"text", 7}}); }, "wrong type refused\n");
    if (nasty.health()) std::cout << "healthy\n";
    expect<rtt::ProtocolError>([&] { nasty.shut_down(); }, "failover ");
    const std::string text = nasty.echo_text({"again"});
    std::cout << nasty.instance() << ' ' << text << '\n';
    nasty.close();
    options.agent = "a.nobody";
    expect<rtt::NoRouteError>([&] { rtt::AgentTestNastyV1 none(options); }, "no route\n");
}
