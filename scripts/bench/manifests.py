"""Writes generated agent manifests, 2 KB each on average, into nested folders of a workspace.

Usage: manifests.py ROOT COUNT [REQUIREMENTS [WRONG]]

The same arguments give the same bytes, and the first manifests of a larger COUNT are those of a smaller one. Each
manifest is valid and requires only earlier ones, in a version and with a capability that they have: up to three, or
REQUIREMENTS of them, of which WRONG percent are not met.
"""

import json
import os
import random
import sys

LANGUAGES = ["go", "javascript", "python", "rust", "typescript"]
WORDS = "append batch cache count delta event fetch group index label merge node order page query range series state token user".split()
TYPES = ["string", "integer", "number", "boolean"]
SERVICES = 1000


def symbol(index):
    return f"bench.team{index % 40}.agent{index}"


def capability(index):
    return f"{WORDS[index % len(WORDS)]}.read"


def schema(source, depth=0):
    """Returns an object schema with a few members, some of them nested."""
    members = {}
    for name in source.sample(WORDS, source.randint(1, 3)):
        kind = source.random()
        if kind < 0.15 and depth < 2:
            members[name] = schema(source, depth + 1)
        elif kind < 0.3:
            members[name] = {"type": "array", "items": {"type": source.choice(TYPES)}, "maxItems": 100}
        else:
            members[name] = {"type": source.choice(TYPES), "description": " ".join(source.choices(WORDS, k=4))}
    return {"type": "object", "properties": members, "required": sorted(members)[:1]}


def requirement(one, source, wrong):
    needed = {"symbol": symbol(one), "version": "^1", "capabilities": [capability(one)]}
    if wrong and source.random() * 100 < wrong:
        key, value = source.choice([("symbol", symbol(one) + "x"), ("version", "^2"), ("capabilities", ["none.such"])])
        needed[key] = value
    return needed


def manifest(index, source, requirements, wrong):
    methods = {}
    for name in source.sample(WORDS, source.randint(1, 2)):
        methods[name] = {
            "description": " ".join(source.choices(WORDS, k=8)),
            "params": schema(source),
            "result": schema(source),
        }
    count = source.randint(0, 3) if requirements is None else requirements
    needed = sorted({source.randrange(index) for _ in range(count)}) if index else []
    return {
        "symbol": symbol(index),
        "version": f"1.{index % 7}.{index % 3}",
        "description": " ".join(source.choices(WORDS, k=10)),
        "language": LANGUAGES[index % len(LANGUAGES)],
        "provides": {
            "protocol": {"name": "jsonrpc", "version": "2.0.0"},
            "lanes": ["uds", "tcp"],
            "capabilities": [capability(index)],
            "methods": methods,
        },
        "requires": [requirement(one, source, wrong) for one in needed],
        "qos": {"latency_ms": source.randint(1, 50), "throughput_mbps": source.randint(1, 500)},
        "resources": {"cpu": source.randint(1, 8) / 4, "memory_mb": 64 * source.randint(1, 16)},
    }


def main():
    root, count = sys.argv[1], int(sys.argv[2])
    requirements = int(sys.argv[3]) if len(sys.argv) > 3 else None
    wrong = float(sys.argv[4]) if len(sys.argv) > 4 else 0
    source = random.Random(0)
    for index in range(count):
        service = index % SERVICES
        folder = f"{root}/agents/region{service % 5}/team{service % 40}/service{service}"
        if index < SERVICES:
            os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/agent{index}.agent.json", "w", encoding="ascii") as file:
            file.write(json.dumps(manifest(index, source, requirements, wrong), indent=1) + "\n")


main()
