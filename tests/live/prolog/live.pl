:- encoding(utf8).
:- use_module('.rtt/drivers/prolog/agent_test_nasty_v1').
:- initialization(main, main).

%   thrown(:Goal, -Kind) is semidet. True if the goal throws an error of a connector.

thrown(Goal, Kind) :- catch(( Goal, fail ), error(rtt_error(Kind, _, _), _), true).

say(Format, Arguments) :- format(Format, Arguments), nl.

main :-
    agent_test_nasty_v1_open(Nasty, [agent('a.live'), timeout(20)]),
    rtt_instance(Nasty, First), say("instance ~w", [First]),
    agent_test_nasty_v1_echo_text(Nasty, _{text: "naïve ☃ 𝄞 \"quoted\" \\ end"}, Text), say("text ~w", [Text]),
    agent_test_nasty_v1_echo_integer(Nasty, _{number: 9007199254740991}, Number), say("integer ~w", [Number]),
    Leaf = _{value: "leaf"},
    Tree = _{value: "root", children: [_{value: "twig", children: [Leaf]}, Leaf]},
    agent_test_nasty_v1_depth(Nasty, _{tree: Tree}, Found), say("depth ~w ~w", [Found.depth, Found.deepest.value]),
    agent_test_nasty_v1_class(Nasty, _{import: "word", end: true}, Word), say("keywords ~w", [Word.return]),
    agent_test_nasty_v1_ping_empty(Nasty, _{}, Pong), say("empty ~w", [Pong]),
    format(string(Long), "~`xt~1048576|", []),
    agent_test_nasty_v1_echo_text(Nasty, _{text: Long}, Large), string_length(Large, Length), say("large ~w", [Length]),
    thrown(agent_test_nasty_v1_fail(Nasty, _{}, _), remote(Code, Message, _)), say("remote ~w ~w", [Code, Message]),
    thrown(rtt_call(Nasty, slow, _{}, _, [timeout(0.3)]), call_timeout), say("timeout", []),
    forall(member(Method-Name, [wrong_id-"wrong id", garbage-"garbage", half_line-"half a line"]),
           ( thrown(rtt_call(Nasty, Method, _{}, _), protocol), say("~w refused", [Name]) )),
    thrown(rtt_call(Nasty, echo_text, _{text: 7}, _), protocol), say("wrong type refused", []),
    rtt_health(Nasty), say("healthy", []),
    thrown(agent_test_nasty_v1_shut_down(Nasty, _{}, _), protocol), format("failover "),
    agent_test_nasty_v1_echo_text(Nasty, _{text: "again"}, Again),
    rtt_instance(Nasty, Second), say("~w ~w", [Second, Again]),
    rtt_close(Nasty),
    thrown(agent_test_nasty_v1_open(_, [agent('a.nobody')]), no_route), say("no route", []).
