#include ".rtt/drivers/c/agent_test_nasty_v1.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static AgentTestNastyV1 nasty;

static void must(rtt_status status)
{
    if (status != RTT_OK) {
        fprintf(stderr, "%s\n", rtt_last_error(nasty.rtt)->message);
        exit(1);
    }
}

static rtt_json *node(rtt_arena *arena, const char *value, const rtt_json *children)
{
    rtt_json *node = rtt_object(arena);
    rtt_put(arena, node, "value", rtt_string(arena, value));
    rtt_put(arena, node, "children", children);
    return node;
}

int main(void)
{
    rtt_arena arena = {0};
    must(AgentTestNastyV1_open(&nasty, &(rtt_options){.agent = "a.live", .timeout_ms = 20000}));
    printf("instance %s\n", rtt_instance(nasty.rtt));
    const char *text;
    AgentTestNastyV1EchoTextParams words = {.text = "naïve ☃ 𝄞 \"quoted\" \\ end"};
    must(AgentTestNastyV1_echo_text(&nasty, &words, &text));
    printf("text %s\n", text);
    int64_t number;
    must(AgentTestNastyV1_echo_integer(&nasty, &(AgentTestNastyV1EchoIntegerParams){.number = 9007199254740991}, &number));
    printf("integer %" PRId64 "\n", number);
    rtt_json *leaf = node(&arena, "leaf", rtt_array(&arena)), *twigs = rtt_array(&arena), *children = rtt_array(&arena);
    rtt_append(&arena, twigs, leaf);
    rtt_append(&arena, children, node(&arena, "twig", twigs));
    rtt_append(&arena, children, leaf);
    const AgentTestNastyV1DepthResult *found;
    AgentTestNastyV1DepthParamsTree tree = {.value = "root", .children = children};
    must(AgentTestNastyV1_depth(&nasty, &(AgentTestNastyV1DepthParams){.tree = &tree}, &found));
    printf("depth %" PRId64 " %s\n", found->depth, found->deepest->value);
    const AgentTestNastyV1ClassResult *word;
    must(AgentTestNastyV1_class(&nasty, &(AgentTestNastyV1ClassParams){.import = "word", .end = &(bool){true}}, &word));
    printf("keywords %s\n", word->return_);
    must(AgentTestNastyV1_ping_empty(&nasty, NULL, &text));
    printf("empty %s\n", text);
    char *large = calloc(1048577, 1);
    memset(large, 'x', 1048576);
    must(AgentTestNastyV1_echo_text(&nasty, &(AgentTestNastyV1EchoTextParams){.text = large}, &text));
    printf("large %zu\n", strlen(text));
    free(large);
    if (AgentTestNastyV1_fail(&nasty, NULL, NULL) == RTT_REMOTE) {
        const rtt_error *error = rtt_last_error(nasty.rtt);
        printf("remote %" PRId64 " %s\n", error->code, error->message);
    }
    rtt_set_timeout(nasty.rtt, 300);
    if (AgentTestNastyV1_slow(&nasty, NULL, NULL) == RTT_TIMEOUT) {
        printf("timeout\n");
    }
    rtt_set_timeout(nasty.rtt, 20000);
    const char *const refused[][2] = { {"wrong_id", "wrong id"}, {"garbage", "garbage"}, {"half_line", "half a line"} };
    for (size_t index = 0; index < 3; index++) {
        if (rtt_call(nasty.rtt, refused[index][0], NULL, NULL) == RTT_PROTOCOL) {
            printf("%s refused\n", refused[index][1]);
        }
    }
    rtt_json *wrong = rtt_object(&arena);
    rtt_put(&arena, wrong, "text", rtt_integer(&arena, 7));
    if (rtt_call(nasty.rtt, "echo_text", wrong, NULL) == RTT_PROTOCOL) {
        printf("wrong type refused\n");
    }
    rtt_arena_free(&arena);
    if (rtt_health(nasty.rtt)) {
        printf("healthy\n");
    }
    if (AgentTestNastyV1_shut_down(&nasty, NULL, NULL) == RTT_PROTOCOL) {
        printf("failover ");
    }
    must(AgentTestNastyV1_echo_text(&nasty, &(AgentTestNastyV1EchoTextParams){.text = "again"}, &text));
    printf("%s %s\n", rtt_instance(nasty.rtt), text);
    AgentTestNastyV1_close(&nasty);
    if (AgentTestNastyV1_open(&nasty, &(rtt_options){.agent = "a.nobody"}) == RTT_NO_ROUTE) {
        printf("no route\n");
    }
    AgentTestNastyV1_close(&nasty);
}
