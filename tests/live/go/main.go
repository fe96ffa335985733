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
	leaf := map[string]any{"value": "leaf"}
	children := []any{map[string]any{"value": "twig", "children": []any{leaf}}, leaf}
	tree := drivers.AgentTestNastyV1DepthParamsTree{Value: "root", Children: &children}
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
}
