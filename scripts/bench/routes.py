"""Writes a workspace whose plan has a given number of routes, on one large host.

Usage: routes.py ROOT ROUTES

Three routes an agent; each agent calls three earlier ones by tcp or uds. The same arguments give the same bytes.
"""

import json
import os
import sys

PER_AGENT = 3
FOLDERS = 100


def manifest(index):
    needed = sorted({(index * 7 + step * 13) % index for step in range(PER_AGENT)}) if index else []
    return {
        "symbol": f"bench.team{index % 40}.agent{index}",
        "version": "1.0.0",
        "provides": {"protocol": {"name": "jsonrpc", "version": "2.0.0"}, "lanes": ["uds", "tcp"]},
        "requires": [{"symbol": f"bench.team{one % 40}.agent{one}", "version": "^1"} for one in needed],
        "endpoint": {"tcp": f"127.0.0.1:{1024 + index % 60000}"},
    }


def main():
    root, routes = sys.argv[1], int(sys.argv[2])
    written = index = 0
    while written < routes:
        one = manifest(index)
        one["requires"] = one["requires"][: routes - written]
        written += len(one["requires"])
        folder = f"{root}/agents/team{index % FOLDERS}"
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/agent{index}.agent.json", "w", encoding="ascii") as file:
            json.dump(one, file)
        index += 1
    os.makedirs(f"{root}/.rtt", exist_ok=True)
    with open(f"{root}/.rtt/topology.json", "w", encoding="ascii") as file:
        node = {"id": 0, "cpu": 1000000, "memory_mb": 1000000000}
        json.dump({"version": "1.0.0", "hosts": [{"name": "local", "nodes": [node]}]}, file)


main()
