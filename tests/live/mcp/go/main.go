package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rtt.local/drivers"
)

var ctx = context.Background()

var kinds = []string{"stateless-stdio", "stateless-uds", "handshake-stdio", "handshake-uds", "oldest-stdio", "abrupt-stdio", "abrupt-uds"}

type object = map[string]any

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// failure returns the error that a call must end with.
func failure[T error](err error) T {
	var found T
	if !errors.As(err, &found) {
		panic(fmt.Sprintf("not this error: %v", err))
	}
	return found
}

func options(agent string) drivers.Options {
	return drivers.Options{Agent: "a." + agent, Timeout: time.Minute}
}

// member returns what a result has in a place.
func member(value any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case int:
			value = value.([]any)[step]
		case string:
			value = value.(object)[step]
		}
	}
	return value
}

func showReal(lane string) {
	everything := must(drivers.OpenMcpEverythingV0(ctx, options(lane)))
	content := must(everything.Echo(ctx, drivers.McpEverythingV0EchoParams{Message: "hé ☃"}))
	fmt.Println(lane, member(content, 0, "text"))
	fmt.Println(lane, member(must(everything.Call(ctx, "get-sum", object{"a": 1, "b": 2})), 0, "text"))
	fmt.Println(lane, member(must(everything.Call(ctx, "get-structured-content", object{"location": "New York"})), "humidity"))
	_, err := everything.Call(ctx, "get-resource-reference", object{"resourceType": "Text", "resourceId": -1})
	refusal := failure[*drivers.RemoteError](err)
	reason, _, _ := strings.Cut(refusal.Message, ":")
	isText := strings.HasPrefix(string(refusal.Data), `[{"type":"text"`)
	fmt.Println(lane, refusal.Code, reason, map[bool]string{true: "text"}[isText])
	must(0, everything.Close())
	clock := must(drivers.OpenMcpTimeV0(ctx, options(lane)))
	there := object{"source_timezone": "Asia/Tokyo", "time": "12:00", "target_timezone": "UTC"}
	fmt.Println(lane, member(must(clock.Call(ctx, "convert_time", there)), "time_difference"))
	there["source_timezone"] = "Mars/Phobos"
	_, err = clock.Call(ctx, "convert_time", there)
	refusal = failure[*drivers.RemoteError](err)
	fmt.Println(lane, refusal.Code, refusal.Message)
	must(0, clock.Close())
}

func showOwn(kind string) {
	own := must(drivers.OpenMcpOwnV0(ctx, options(kind)))
	echoed := must(own.Call(ctx, "echo", object{"text": kind}))
	fmt.Println(member(echoed, "text"), member(echoed, "era"), member(must(own.Call(ctx, "plain", nil)), 0, "text"))
	_, err := own.Call(ctx, "refuse", nil)
	refusal := failure[*drivers.RemoteError](err)
	fmt.Println(kind, refusal.Code, strings.ReplaceAll(refusal.Message, "\n", " "), strings.Count(string(refusal.Data), `"type"`))
	_, err = own.Call(ctx, "nope", nil)
	fmt.Println(kind, failure[*drivers.RemoteError](err).Code)
	answers, err := own.Call(ctx, "ask", nil)
	if strings.HasPrefix(kind, "stateless") {
		failure[*drivers.ProtocolError](err)
		fmt.Println(kind, "input refused")
	} else {
		must(0, err)
		fmt.Println(kind, member(answers, "roots/list"), member(answers, "sampling/createMessage"))
	}
	_, err = own.Call(ctx, "die", nil)
	failure[*drivers.ProtocolError](err)
	if own.Health(ctx) {
		fmt.Println(kind, "restarted", member(must(own.Call(ctx, "echo", object{"text": "again"})), "text"))
	}
	must(0, own.Close())
}

func main() {
	for _, lane := range []string{"stdio", "uds"} {
		showReal(lane)
	}
	for _, kind := range kinds {
		showOwn(kind)
	}
	for _, kind := range []string{"silent-stdio", "late-stdio"} {
		own := must(drivers.OpenMcpOwnV0(ctx, options(kind)))
		echoed := must(own.Call(ctx, "echo", object{"text": kind}))
		fmt.Println(member(echoed, "text"), member(echoed, "era"))
		must(0, own.Close())
	}
	for _, kind := range []string{"newer-stdio", "unknown-stdio", "missing-stdio"} {
		_, err := drivers.OpenMcpOwnV0(ctx, options(kind))
		failure[*drivers.ConnectError](err)
		fmt.Println(kind, "not reached")
	}
}
