program live;

{$mode objfpc}{$H+}{$codepage utf8}

uses
  SysUtils, fpjson, rtt_json, rtt_runtime, AgentTestNastyV1;

var
  Nasty: agent_test_nasty_v1;

function Echo(const Text: UTF8String): UTF8String;
var
  Params: agent_test_nasty_v1_echo_text_params;
begin
  Params := agent_test_nasty_v1_echo_text_params.Create;
  Params.text := Text;
  try
    Result := Nasty.echo_text(Params);
  finally
    Params.Free;
  end;
end;

function EchoInteger(Number: Int64): Int64;
var
  Params: agent_test_nasty_v1_echo_integer_params;
begin
  Params := agent_test_nasty_v1_echo_integer_params.Create;
  Params.number := Number;
  try
    Result := Nasty.echo_integer(Params);
  finally
    Params.Free;
  end;
end;

procedure ShowDepth;
var
  Params: agent_test_nasty_v1_depth_params;
  Found: agent_test_nasty_v1_depth_result;
  Leaf, Twig: TJSONObject;
begin
  Leaf := TJSONObject.Create(['value', 'leaf']);
  Twig := TJSONObject.Create(['value', 'twig', 'children', TJSONArray.Create([Leaf])]);
  Params := agent_test_nasty_v1_depth_params.Create;
  Params.tree := agent_test_nasty_v1_depth_params_tree.Create;
  Params.tree.value := 'root';
  Params.tree.children := TJSONArray.Create([Twig, Leaf.Clone]);
  Found := Nasty.depth(Params);
  WriteLn('depth ', Found.depth, ' ', Found.deepest.value);
  Found.Free;
  Params.Free;
end;

procedure ShowWord;
var
  Params: agent_test_nasty_v1_class_params;
  Word: agent_test_nasty_v1_class_result;
begin
  Params := agent_test_nasty_v1_class_params.Create;
  Params.import := 'word';
  Params.end_ := True;
  Word := Nasty.class_(Params);
  WriteLn('keywords ', Word.return);
  Word.Free;
  Params.Free;
end;

procedure Refuse(const Method, Name: UTF8String; Params: TJSONData = nil);
begin
  try
    Nasty.call(Method, Params).Free;
  except
    on EProtocol do
      WriteLn(Name, ' refused');
  end;
  Params.Free;
end;

var
  Options: TOptions;
  Text: UTF8String;

begin
  SetTextCodePage(Output, CP_UTF8);
  Options := Default(TOptions);
  Options.agent := 'a.live';
  Options.timeout_ms := 20000;
  Nasty := agent_test_nasty_v1.open(Options);
  WriteLn('instance ', Nasty.instance);
  WriteLn('text ', Echo('naïve ☃ 𝄞 "quoted" \ end'));
  WriteLn('integer ', EchoInteger(9007199254740991));
  ShowDepth;
  ShowWord;
  WriteLn('empty ', Nasty.ping_empty);
  WriteLn('large ', Length(Echo(StringOfChar('x', 1048576))));
  try
    Nasty.fail;
  except
    on Error: ERemote do
      WriteLn('remote ', Error.code, ' ', Error.words);
  end;
  Nasty.set_timeout(300);
  try
    Nasty.slow;
  except
    on ECallTimeout do
      WriteLn('timeout');
  end;
  Nasty.set_timeout(20000);
  Refuse('wrong_id', 'wrong id');
  Refuse('garbage', 'garbage');
  Refuse('half_line', 'half a line');
  Refuse('echo_text', 'wrong type', TJSONObject.Create(['text', 7]));
  if Nasty.health then
    WriteLn('healthy');
  try
    Nasty.shut_down;
  except
    on EProtocol do
      Write('failover ');
  end;
  Text := Echo('again');
  WriteLn(Nasty.instance, ' ', Text);
  Nasty.Free;
  Options.agent := 'a.nobody';
  try
    agent_test_nasty_v1.open(Options).Free;
  except
    on ENoRoute do
      WriteLn('no route');
  end;
end.
