package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rtt.local/drivers"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	ctx := context.Background()
	nasty, err := drivers.OpenAgentTestNastyV1(ctx, drivers.Options{Agent: "a.live", Timeout: 20 * time.Second})
	must(err)
	fmt.Println("instance", nasty.Instance())
	text, err := nasty.EchoText(ctx, drivers.AgentTestNastyV1EchoTextParams{Text: "naïve ☃ 𝄞 \"quoted\" \\ end"})
	must(err)
	fmt.Println("text", text)
	number, err := nasty.EchoInteger(ctx, drivers.AgentTestNastyV1EchoIntegerParams{Number: 9007199254740991})
	must(err)
	fmt.Println("integer", number)
	type node = drivers.AgentTestNastyV1DepthParamsNode
	leaf := node{Value: "leaf"}
	tree := node{Value: "root", Children: &[]node{{Value: "twig", Children: &[]node{leaf}}, leaf}}
	found, err := nasty.Depth(ctx, drivers.AgentTestNastyV1DepthParams{Tree: tree})
	must(err)
	fmt.Println("depth", found.Depth, found.Deepest.Value)
	word, err := nasty.Class(ctx, map[string]any{"import": "word", "end": true})
	must(err)
	fmt.Println("keywords", word.Return)
	pong, err := nasty.PingEmpty(ctx, nil)
	must(err)
	fmt.Println("empty", pong)
	text, err = nasty.EchoText(ctx, drivers.AgentTestNastyV1EchoTextParams{Text: strings.Repeat("x", 1048576)})
	must(err)
	fmt.Println("large", len(text))
	_, err = nasty.Fail(ctx, nil)
	var remote *drivers.RemoteError
	if errors.As(err, &remote) {
		fmt.Println("remote", remote.Code, remote.Message)
	}
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	_, err = nasty.Slow(short, nil)
	var timeout *drivers.CallTimeoutError
	if errors.As(err, &timeout) {
		fmt.Println("timeout")
	}
	var protocol *drivers.ProtocolError
	for _, one := range [][2]string{{"wrong_id", "wrong id"}, {"garbage", "garbage"}, {"half_line", "half a line"}} {
		if _, err = nasty.Call(ctx, one[0], nil); errors.As(err, &protocol) {
			fmt.Println(one[1], "refused")
		}
	}
	if _, err = nasty.Call(ctx, "echo_text", map[string]any{"text": 7}); errors.As(err, &protocol) {
		fmt.Println("wrong type refused")
	}
	if nasty.Health(ctx) {
		fmt.Println("healthy")
	}
	if _, err = nasty.ShutDown(ctx, nil); errors.As(err, &protocol) {
		fmt.Print("failover ")
	}
	text, err = nasty.EchoText(ctx, drivers.AgentTestNastyV1EchoTextParams{Text: "again"})
	must(err)
	fmt.Println(nasty.Instance(), text)
	must(nasty.Close())
	_, err = drivers.OpenAgentTestNastyV1(ctx, drivers.Options{Agent: "a.nobody"})
	var none *drivers.NoRouteError
	if errors.As(err, &none) {
		fmt.Println("no route")
	}
	showTypes(ctx)
}

func showTypes(ctx context.Context) {
	nasty, err := drivers.OpenAgentTestNastyV1(ctx, drivers.Options{Agent: "a.live"})
	must(err)
	type node = drivers.AgentTestNastyV1TypedParamsNode
	circle := drivers.AgentTestNastyV1TypedParamsCircle{
		Kind: drivers.AgentTestNastyV1TypedParamsCircleKind_Circle, Radius: 2.5,
	}
	number := int64(42)
	sample := drivers.AgentTestNastyV1TypedParamsSample{
		Shape:  drivers.AgentTestNastyV1TypedParamsSampleShape{Circle: &circle},
		Color:  drivers.AgentTestNastyV1TypedParamsColor_DarkRed,
		At:     time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC),
		Data:   []byte{0x00, 0xff, 0x41},
		Pair:   drivers.AgentTestNastyV1TypedParamsSamplePair{Item0: "x", Item1: 7},
		Tree:   node{Value: "root", Children: &[]node{{Value: "leaf"}}, Next: &node{Value: "after"}},
		Counts: map[string]int64{"a": 1},
		Scalar: drivers.AgentTestNastyV1TypedParamsSampleScalar{Integer: &number},
		Merged: drivers.AgentTestNastyV1TypedParamsSampleMerged{Left: "l", Right: 1},
	}
	found, err := nasty.Typed(ctx, drivers.AgentTestNastyV1TypedParams{Sample: sample})
	must(err)
	if found.Shape.Circle == nil || found.Shape.Square != nil {
		panic("not a circle")
	}
	linked, maybe := "some", "there"
	if found.Linked == nil {
		linked = "none"
	}
	if found.Maybe == nil {
		maybe = "absent"
	}
	fmt.Printf("typed circle %v | %s | %s | %x | %s %d | %s %s | a=%d | %d | %s %v | linked %s | maybe %s\n",
		found.Shape.Circle.Radius, found.Color, found.At.UTC().Format(time.RFC3339), found.Data, found.Pair.Item0, found.Pair.Item1,
		(*found.Tree.Children)[0].Value, found.Tree.Next.Value, found.Counts["a"], *found.Scalar.Integer,
		found.Merged.Left, found.Merged.Right, linked, maybe)
	var protocol *drivers.ProtocolError
	if _, err = nasty.Misfit(ctx, nil); errors.As(err, &protocol) {
		fmt.Println("misfit refused")
	}
	either, err := nasty.Either(ctx, nil)
	must(err)
	if either.Right != nil {
		fmt.Println("either right", *either.Right.Right)
	}
	must(nasty.Close())
}
