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
	leaf := drivers.AgentTestNastyV1DepthParamsNode{Value: "leaf"}
	twig := drivers.AgentTestNastyV1DepthParamsNode{Value: "twig", Children: &[]drivers.AgentTestNastyV1DepthParamsNode{leaf}}
	children := []drivers.AgentTestNastyV1DepthParamsNode{twig, leaf}
	tree := drivers.AgentTestNastyV1DepthParamsNode{Value: "root", Children: &children}
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
	typed(ctx)
}

// typed sends and prints one value of each declared kind.
func typed(ctx context.Context) {
	nasty, err := drivers.OpenAgentTestNastyV1(ctx, drivers.Options{Agent: "a.live"})
	must(err)
	number := int64(42)
	found, err := nasty.Typed(ctx, drivers.AgentTestNastyV1TypedParams{Sample: drivers.AgentTestNastyV1TypedParamsSample{
		Shape: drivers.AgentTestNastyV1TypedParamsSampleShape{Circle: &drivers.AgentTestNastyV1TypedParamsCircle{
			Kind: drivers.AgentTestNastyV1TypedParamsCircleKind_Circle, Radius: 2.5,
		}},
		Color: drivers.AgentTestNastyV1TypedParamsColor_DarkRed,
		At:    time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC),
		Data:  []byte{0x00, 0xff, 0x41},
		Pair:  drivers.AgentTestNastyV1TypedParamsSamplePair{Item0: "x", Item1: 7},
		Tree: drivers.AgentTestNastyV1TypedParamsNode{
			Value:    "root",
			Children: &[]drivers.AgentTestNastyV1TypedParamsNode{{Value: "leaf"}},
			Next:     &drivers.AgentTestNastyV1TypedParamsNode{Value: "after"},
		},
		Counts: map[string]int64{"a": 1},
		Scalar: drivers.AgentTestNastyV1TypedParamsSampleScalar{Integer: &number},
		Merged: drivers.AgentTestNastyV1TypedParamsSampleMerged{Left: "l", Right: 1},
	}})
	must(err)
	if circle := found.Shape.Circle; circle != nil {
		fmt.Print("typed circle ", circle.Radius)
	}
	fmt.Printf(" | %s | %s | %x", found.Color, found.At.UTC().Format(time.RFC3339), found.Data)
	fmt.Printf(" | %s %d | %s %s", found.Pair.Item0, found.Pair.Item1, (*found.Tree.Children)[0].Value, found.Tree.Next.Value)
	for name, count := range found.Counts {
		fmt.Printf(" | %s=%d", name, count)
	}
	if found.Scalar.Integer != nil {
		fmt.Print(" | ", *found.Scalar.Integer)
	}
	fmt.Printf(" | %s %g", found.Merged.Left, found.Merged.Right)
	if found.Linked == nil {
		fmt.Print(" | linked none")
	}
	if found.Maybe == nil {
		fmt.Print(" | maybe absent")
	}
	fmt.Println()
	_, err = nasty.Misfit(ctx, nil)
	var protocol *drivers.ProtocolError
	if errors.As(err, &protocol) {
		fmt.Println("misfit refused")
	}
	must(nasty.Close())
}
