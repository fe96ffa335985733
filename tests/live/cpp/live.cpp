#include <iomanip>
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

/// Sends and prints one value of each declared kind.
void typed(const rtt::Options &options) {
    using Node = rtt::AgentTestNastyV1TypedParamsNode;
    rtt::AgentTestNastyV1 nasty(options);
    rtt::AgentTestNastyV1TypedParamsSample sample;
    sample.shape.value = rtt::AgentTestNastyV1TypedParamsCircle{rtt::AgentTestNastyV1TypedParamsCircleKind::circle, 2.5};
    sample.color = rtt::AgentTestNastyV1TypedParamsColor::dark_red;
    sample.at = rtt::from_rfc3339("2026-11-25T11:00:00.000-01:00").value();
    sample.data = {0x00, 0xff, 0x41};
    sample.pair = {"x", 7};
    sample.tree = {"root", std::vector<Node>{{"leaf"}}, Node{"after"}};
    sample.counts = {{"a", 1}};
    sample.scalar.value = 42;
    sample.merged = {"l", 1};
    const auto found = nasty.typed({sample});
    if (const auto *circle = std::get_if<rtt::AgentTestNastyV1TypedResultCircle>(&found.shape.value)) {
        std::cout << "typed circle " << circle->radius;
    }
    std::cout << " | " << to_string(found.color) << " | " << rtt::to_rfc3339(found.at).value() << " | " << std::hex << std::setfill('0');
    for (const int byte : found.data) std::cout << std::setw(2) << byte;
    std::cout << std::dec << " | " << std::get<0>(found.pair) << ' ' << std::get<1>(found.pair);
    std::cout << " | " << found.tree.children->at(0).value << ' ' << (*found.tree.next)->value;
    for (const auto &[name, count] : found.counts) std::cout << " | " << name << '=' << count;
    std::cout << " | " << std::get<std::int64_t>(found.scalar.value) << " | " << found.merged.left << ' ' << found.merged.right;
    std::cout << " | linked " << (found.linked ? "some" : "none") << " | maybe " << (found.maybe ? "there" : "absent") << '\n';
    expect<rtt::ProtocolError>([&] { nasty.misfit(); }, "misfit refused\n");
}

int main() {
    rtt::Options options;
    options.agent = "a.live";
    options.timeout = 20s;
    rtt::AgentTestNastyV1 nasty(options);
    std::cout << "instance " << nasty.instance() << '\n';
    std::cout << "text " << nasty.echo_text({"naïve ☃ 𝄞 \"quoted\" \\ end"}) << '\n';
    std::cout << "integer " << nasty.echo_integer({9007199254740991}) << '\n';
    using Node = rtt::AgentTestNastyV1DepthParamsNode;
    const Node leaf{"leaf"}, twig{"twig", std::vector{leaf}};
    const auto found = nasty.depth({{"root", std::vector{twig, leaf}}});
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
    options.agent = "a.live";
    typed(options);
}
