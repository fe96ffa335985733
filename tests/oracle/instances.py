"""Generates workspaces to plan for, the same on every machine.

Usage: instances.py clustered ROOT AGENTS NODES ROUTES SEED [HOSTS [TIGHTNESS]]
       instances.py mixed ROOT AGENTS NODES ROUTES SEED [HOSTS]
       instances.py small ROOT SEED

`clustered`: groups of about eight agents that talk mostly among themselves, by uds and tcp; nodes of equal size, of
which TIGHTNESS percent (default 80) are used; one host unless HOSTS says otherwise; one route in fifty with a strict
bound that only a call within a node keeps; one agent in forty pinned.
`mixed`: the same on two hosts, with what makes more of a route than one call between two nodes: three of ten agents in
two versions, three of ten routes with a bound, two alternates for a quarter of the targets, links with a limit.
`small`: everything that the model has, at random, on a few agents.
"""

import json
import random
import sys
from pathlib import Path

LANES = ["shm", "uds", "tcp", "stdio"]


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def clustered(root, agents, nodes, routes, seed, hosts=1, tightness=80):
    source = random.Random(f"{agents} {nodes} {routes} {seed}")
    symbol = lambda index: f"bench.team{index % 40}.agent{index}"
    demand = [source.randint(2, 10) for _ in range(agents)]
    for index in range(agents):
        write(root / f"agents/d{index // 1000}/a{index}.agent.json", {
            "symbol": symbol(index), "version": "1.0.0",
            "resources": {"cpu": demand[index] / 10, "memory_mb": source.randint(16, 256)}})
    groups = max(2, agents // 8)
    group = [source.randrange(groups) for _ in range(agents)]
    members = [[] for _ in range(groups)]
    for index, one in enumerate(group):
        members[one].append(index)
    seen, entries = set(), []
    while len(entries) < routes:
        a = source.randrange(agents)
        near = members[group[a]] if source.random() < 0.8 else None
        b = source.choice(near) if near else source.randrange(agents)
        if a == b or (a, b) in seen:
            if near and len(near) < 6:
                b = source.randrange(agents)
            if a == b or (a, b) in seen:
                continue
        seen.add((a, b))
        entry = {"from": symbol(a), "to": symbol(b), "qos": {"throughput_mbps": source.randint(1, 100)}}
        entries.append(entry)
    write(root / ".rtt/routes.json", {"version": "1.0.0", "routes": entries})
    # Strict bounds that only calls within one node keep.
    strict = source.sample(entries, min(routes // 50, 200))
    qos = [{"from": e["from"], "to": e["to"], "latency_ms": 0.7, "strict": True} for e in strict]
    pinned = source.sample(sorted(set(range(agents)) - {int(e[end].rsplit('agent')[-1]) for e in strict for end in ('from', 'to')}), min(agents // 40, 200))
    per_host = nodes // hosts
    pins = [{"agent": symbol(a), "numa_node": source.randrange(per_host)} for a in pinned]
    write(root / ".rtt/policy.json", {"version": "1.0.0", "acl": {"default": "allow", "rules": []}, "qos": qos, "pins": pins})
    cpu = -(-sum(demand) * 100 * 100 // (nodes * tightness)) / 1000
    write(root / ".rtt/topology.json", {"version": "1.0.0", "hosts": [
        {"name": f"h{h}", "nodes": [{"id": n, "cpu": cpu, "memory_mb": 1 << 20} for n in range(per_host)]}
        for h in range(hosts)]})


def mixed(root, agents, nodes, routes, seed, hosts=2):
    clustered(root, agents, nodes, routes, seed, hosts, 75)
    source = random.Random(f"mixed {seed}")
    for path in sorted((root / "agents").rglob("*.json")):
        manifest = json.loads(path.read_text())
        if source.random() < 0.3:
            write(path.with_name(path.name.replace("a", "b", 1)), {**manifest, "version": "1.3.0"})
    topology = json.loads((root / ".rtt/topology.json").read_text())
    for host in topology["hosts"]:
        for node in host["nodes"]:
            node["cpu"] = round(node["cpu"] * 1.35, 3)
    topology["links"] = [
        {"a": f"h{a}", "b": f"h{b}", "latency_us": 150, "distance": 60, "bandwidth_mbps": routes * 12 // hosts}
        for a in range(hosts) for b in range(a + 1, hosts)]
    write(root / ".rtt/topology.json", topology)
    document = json.loads((root / ".rtt/routes.json").read_text())
    for entry in document["routes"]:
        if source.random() < 0.3:
            entry["qos"]["latency_ms"] = source.choice([0.6, 1.0, 2.2])
    write(root / ".rtt/routes.json", document)
    targets = sorted({entry["to"] for entry in document["routes"]})
    policy = json.loads((root / ".rtt/policy.json").read_text())
    policy["failover"] = [
        {"from": "**", "to": target, "alternates": source.sample(targets, 2), "spread": source.choice(["numa", "host"])}
        for target in source.sample(targets, len(targets) // 4)]
    write(root / ".rtt/policy.json", policy)


def small(root, seed):
    source = random.Random(f"small {seed}")
    chance = lambda one_in: source.randrange(one_in) == 0
    some = lambda items, least=1: source.sample(items, source.randint(least, len(items)))
    hosts = source.choice([1, 1, 2, 2, 3])
    topology = {"version": "1.0.0", "hosts": [], "links": []}
    for h in range(hosts):
        count = source.randint(1, 3 if hosts == 1 else 2)
        ids = sorted(source.sample(range(4), count))
        host = {"name": f"h{h}", "nodes": [
            {"id": i, "cpu": source.choice([0.3, 0.5, 1, 2]), "memory_mb": source.choice([64, 128, 512])} for i in ids]}
        if chance(2):
            far = [[10 if i == j else 0 for j in range(count)] for i in range(count)]
            for i in range(count):
                for j in range(i):
                    far[i][j] = far[j][i] = source.choice([12, 15, 20, 21, 32])
            host["distance"] = far
        topology["hosts"].append(host)
    for a in range(hosts):
        for b in range(a):
            if chance(2):
                link = {"a": f"h{b}", "b": f"h{a}", "latency_us": source.randint(50, 900), "distance": source.choice([40, 80, 100])}
                if chance(2):
                    link["bandwidth_mbps"] = source.choice([1, 50, 400, 4000])
                topology["links"].append(link)
    write(root / ".rtt/topology.json", topology)
    symbols = [f"a.{'xy'[i % 2]}.n{i}" for i in range(source.randint(3, 5))]
    instances = []
    for symbol in symbols:
        for number in ["1.0.0", "1.2.0", "2.0.0"][: source.choice([1, 1, 2, 2, 3])]:
            manifest = {"symbol": symbol, "version": number, "provides": {"lanes": some(LANES) if chance(3) else ["shm", "uds", "tcp"]}}
            if chance(2):
                manifest["resources"] = {"cpu": source.choice([0.05, 0.1, 0.25, 0.3335]), "memory_mb": source.choice([8, 32, 60])}
            if chance(3):
                manifest["endpoint"] = {"stdio": ["serve"]}
                manifest["provides"]["lanes"] = sorted(set(manifest["provides"]["lanes"]) | {"stdio"})
            if chance(3):
                manifest["qos"] = {source.choice(["latency_ms", "throughput_mbps"]): source.choice([1, 2.2, 10])}
            if chance(2):
                manifest["provides"]["capabilities"] = ["c.read"]
            instances.append(manifest)
    for manifest in instances:
        others = [o for o in instances if o["symbol"] != manifest["symbol"]]
        target = source.choice(others)
        if chance(3):
            needed = {"symbol": target["symbol"], "version": "^" + target["version"][0]}
            if "capabilities" in target["provides"] and chance(2):
                needed["capabilities"] = ["c.read"]
            manifest["requires"] = [needed]
        write(root / f"agents/{manifest['symbol']}-{manifest['version']}.agent.json", manifest)
    entries = []
    for _ in range(source.randint(1, 6)):
        a, b = source.sample(symbols, 2)
        entry = {"from": a, "to": b + source.choice(["", "", "@^1", "@>=1.0.0"])}
        if any(e["from"] == entry["from"] and e["to"] == entry["to"] for e in entries):
            continue
        qos = {}
        if chance(2):
            qos["throughput_mbps"] = source.choice([0.5, 3, 300, 2500, 6000])
        if chance(2):
            qos["latency_ms"] = source.choice([0.2, 0.6, 0.95, 1.3, 2.3])
        if qos:
            entry["qos"] = qos
        if chance(8):
            entry["via"] = source.choice(LANES)
        entries.append(entry)
    write(root / ".rtt/routes.json", {"version": "1.0.0", "routes": entries})
    pattern = lambda: source.choice(symbols + ["a.x.*", "a.**", "**"])
    policy = {"version": "1.0.0", "acl": {"default": "allow", "rules": []}, "qos": [], "pins": [], "failover": []}
    for _ in range(source.randrange(3)):
        policy["acl"]["rules"].append({"effect": "deny", "from": pattern(), "to": source.choice(symbols), "via": some(LANES)[:3]})
    if chance(6):
        policy["acl"] = {"default": "deny", "rules": [{"effect": "allow", "via": some(LANES, 2)}, {"effect": "allow", "from": "a.x.*"}]}
    for _ in range(source.randrange(3)):
        rule = {"from": pattern(), "to": pattern(), "priority": source.randint(1, 5), "strict": chance(2)}
        if chance(2):
            rule["latency_ms"] = source.choice([0.6, 1.0, 2.2, 2.9])
        policy["qos"].append(rule)
    for _ in range(source.randrange(3)):
        if chance(2):
            host = source.choice(topology["hosts"])
            pin = {"agent": source.choice(symbols) + source.choice(["", "@^1"]), "host": host["name"]}
            if chance(2):
                pin["numa_node"] = source.choice(host["nodes"])["id"]
        else:
            entry = source.choice(entries)
            pin = {"from": entry["from"], "to": entry["to"].split("@")[0]}
            if chance(2):
                pin["via"] = source.choice(LANES)
            else:
                pin["target"] = pin["to"] + "@^" + source.choice("12")
        policy["pins"].append(pin)
    for _ in range(source.randrange(3)):
        policy["failover"].append({
            "from": pattern(), "to": source.choice(symbols), "alternates": some(symbols)[:2],
            "spread": source.choice(["numa", "host"]), "required": chance(3)})
    write(root / ".rtt/policy.json", policy)


def perturb(plan, seed, topology):
    """A plan that might have been applied: the given one with some placements and lanes changed."""
    source = random.Random(f"applied {seed}")
    places = [(host["name"], node["id"]) for host in topology["hosts"] for node in host["nodes"]] + [("gone", 0)]
    for place in plan["placement"]:
        if source.random() < 0.5:
            place["host"], place["numa_node"] = source.choice(places)
    for route in plan["routes"]:
        if source.random() < 0.4:
            route["via"] = source.choice(LANES)
    plan["placement"] = [place for place in plan["placement"] if source.random() < 0.9]
    plan["routes"] = [route for route in plan["routes"] if source.random() < 0.9]
    return plan


if __name__ == "__main__":
    kind, root, *numbers = sys.argv[1:]
    {"clustered": clustered, "mixed": mixed, "small": small}[kind](Path(root), *map(int, numbers))
