"""Writes generated agent manifests, about 2 KB each, into nested folders of a workspace: the same bytes for the same arguments.

Usage: manifests.py ROOT COUNT
"""

import json
import pathlib
import random
import sys

LANGUAGES = ["go", "javascript", "python", "rust", "typescript"]
WORDS = "append batch cache count delta event fetch group index label merge node order page query range series state token user".split()
TYPES = ["string", "integer", "number", "boolean"]


def schema(source, depth=0):
    """Returns an object schema with a few members, some of them nested."""
    members = {}
    for name in source.sample(WORDS, source.randint(2, 4)):
        kind = source.random()
        if kind < 0.15 and depth < 2:
            members[name] = schema(source, depth + 1)
        elif kind < 0.3:
            members[name] = {"type": "array", "items": {"type": source.choice(TYPES)}, "maxItems": 100}
        else:
            members[name] = {"type": source.choice(TYPES), "description": " ".join(source.choices(WORDS, k=5))}
    return {"type": "object", "properties": members, "required": sorted(members)[:1]}


def manifest(index, source):
    """Returns one manifest; it requires up to three that were made before it."""
    methods = {}
    for name in source.sample(WORDS, source.randint(2, 4)):
        methods[name] = {
            "description": " ".join(source.choices(WORDS, k=12)),
            "params": schema(source),
            "result": schema(source),
        }
    needed = sorted({source.randrange(index) for _ in range(source.randint(0, 3))}) if index else []
    return {
        "symbol": f"bench.group{index % 97}.agent{index}",
        "version": f"1.{index % 7}.{index % 3}",
        "description": " ".join(source.choices(WORDS, k=10)),
        "language": LANGUAGES[index % len(LANGUAGES)],
        "provides": {
            "protocol": {"name": "jsonrpc", "version": "2.0.0"},
            "lanes": ["uds", "tcp"],
            "capabilities": sorted(source.sample(WORDS, 2)),
            "methods": methods,
        },
        "requires": [{"symbol": f"bench.group{other % 97}.agent{other}", "version": "^1"} for other in needed],
        "qos": {"latency_ms": source.randint(1, 50), "throughput_mbps": source.randint(1, 500)},
        "resources": {"cpu": source.randint(1, 8) / 4, "memory_mb": 64 * source.randint(1, 16)},
    }


def main():
    root, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    for index in range(count):
        folder = root / "agents" / f"team{index % 40}" / f"service{index % 360}"
        if index < 14400:
            folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(manifest(index, random.Random(index)), indent=1)
        (folder / f"agent{index}.agent.json").write_text(text + "\n")


main()
