module Nasty = Agent_test_nasty_v1

let () =
  let nasty = Nasty.connect ~agent:"a.live" ~timeout:20. () in
  Printf.printf "instance %s\n" (Nasty.instance nasty);
  Printf.printf "text %s\n" (Nasty.echo_text nasty ~text:"naïve ☃ 𝄞 \"quoted\" \\ end" ());
  Printf.printf "integer %d\n" (Nasty.echo_integer nasty ~number:9007199254740991 ());
  let leaf = `Assoc [ ("value", `String "leaf") ] in
  let twig = `Assoc [ ("value", `String "twig"); ("children", `List [ leaf ]) ] in
  let found = Nasty.depth nasty ~tree:{ value = "root"; children = Some [ twig; leaf ] } () in
  Printf.printf "depth %d %s\n" found.depth found.deepest.value;
  Printf.printf "keywords %s\n" (Nasty.class_ nasty ~import:"word" ~end_:true ()).return;
  Printf.printf "empty %s\n" (Nasty.ping_empty nasty ());
  Printf.printf "large %d\n" (String.length (Nasty.echo_text nasty ~text:(String.make 1048576 'x') ()));
  (try ignore (Nasty.fail nasty ())
   with Nasty.Remote_error { code; message; _ } -> Printf.printf "remote %d %s\n" code message);
  (try ignore (Nasty.slow ~timeout:0.3 nasty ()) with Nasty.Call_timeout _ -> print_endline "timeout");
  List.iter
    (fun (name, shown) ->
      try ignore (Nasty.call nasty name `Null) with Nasty.Protocol_error _ -> Printf.printf "%s refused\n" shown)
    [ ("wrong_id", "wrong id"); ("garbage", "garbage"); ("half_line", "half a line") ];
  (try ignore (Nasty.call nasty "echo_text" (`Assoc [ ("text", `Int 7) ]))
   with Nasty.Protocol_error _ -> print_endline "wrong type refused");
  if Nasty.health nasty then print_endline "healthy";
  (try ignore (Nasty.shut_down nasty ()) with Nasty.Protocol_error _ -> print_string "failover ");
  let text = Nasty.echo_text nasty ~text:"again" () in
  Printf.printf "%s %s\n" (Nasty.instance nasty) text;
  Nasty.close nasty;
  try ignore (Nasty.connect ~agent:"a.nobody" ()) with Nasty.No_route _ -> print_endline "no route"
