-module(live).
-export([main/0]).
-import(agent_test_nasty_v1, [call/2, call/3, open/1]).

main() ->
    ok = io:setopts([{encoding, unicode}]),
    {ok, Nasty} = open(#{agent => <<"a.live">>, timeout => 20_000}),
    io:format("instance ~ts~n", [agent_test_nasty_v1:instance(Nasty)]),
    {ok, Text} = agent_test_nasty_v1:echo_text(Nasty, #{text => <<"naïve ☃ 𝄞 \"quoted\" \\ end"/utf8>>}),
    io:format("text ~ts~n", [Text]),
    {ok, Integer} = agent_test_nasty_v1:echo_integer(Nasty, #{number => 9007199254740991}),
    io:format("integer ~b~n", [Integer]),
    Leaf = #{value => <<"leaf">>},
    Tree = #{value => <<"root">>, children => [#{value => <<"twig">>, children => [Leaf]}, Leaf]},
    {ok, #{<<"depth">> := Depth, <<"deepest">> := Deepest}} = agent_test_nasty_v1:depth(Nasty, #{tree => Tree}),
    io:format("depth ~b ~ts~n", [Depth, maps:get(<<"value">>, Deepest)]),
    {ok, #{<<"return">> := Word}} = agent_test_nasty_v1:class(Nasty, #{import => <<"word">>, end_ => true}),
    io:format("keywords ~ts~n", [Word]),
    {ok, Pong} = agent_test_nasty_v1:ping_empty(Nasty),
    io:format("empty ~ts~n", [Pong]),
    {ok, Large} = agent_test_nasty_v1:echo_text(Nasty, #{text => binary:copy(<<"x">>, 1048576)}),
    io:format("large ~b~n", [byte_size(Large)]),
    {error, {remote, _, Code, Message, _}} = agent_test_nasty_v1:fail(Nasty),
    io:format("remote ~b ~ts~n", [Code, Message]),
    {error, {timeout, _, _}} = agent_test_nasty_v1:slow(Nasty, #{}, #{timeout => 300}),
    io:format("timeout~n"),
    lists:foreach(
        fun({Name, Shown}) ->
            {error, {protocol, _, _}} = call(Nasty, Name),
            io:format("~ts refused~n", [Shown])
        end,
        [{<<"wrong_id">>, "wrong id"}, {<<"garbage">>, "garbage"}, {<<"half_line">>, "half a line"}]
    ),
    {error, {protocol, _, _}} = call(Nasty, <<"echo_text">>, #{text => 7}),
    io:format("wrong type refused~n"),
    true = agent_test_nasty_v1:health(Nasty),
    io:format("healthy~n"),
    {error, {protocol, _, _}} = agent_test_nasty_v1:shut_down(Nasty),
    {ok, Again} = agent_test_nasty_v1:echo_text(Nasty, #{text => <<"again">>}),
    io:format("failover ~ts ~ts~n", [agent_test_nasty_v1:instance(Nasty), Again]),
    ok = agent_test_nasty_v1:close(Nasty),
    {error, {no_route, _, _}} = open(#{agent => <<"a.nobody">>}),
    io:format("no route~n").
