"""Reads a workspace and builds the routing model of the pipeline's design in integers, sharing nothing with the planner.

Understands the canonical forms of the files that instances.py writes: manifests under agents/, .rtt/routes.json,
.rtt/policy.json, .rtt/topology.json, .rtt/tuned/lanes.json, .rtt/cache/connectors.json and plans/last_applied.json.
"""

import json
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path

LANES = ["shm", "uds", "tcp", "stdio"]
FIGURES = {"shm": (100, 400, 40000, 1), "uds": (500, 400, 10000, 3), "tcp": (2000, 400, 5000, 8), "stdio": (1000, 400, 2000, 4)}


def scaled(value, factor, rounding):
    return int((Decimal(str(value)) * factor).to_integral_value(rounding=rounding))


def version(text):
    return tuple(int(part) for part in text.split("."))


def in_range(text, candidate):
    """Understands `*`, `^x[.y[.z]]`, `=x.y.z`, `x.y.z` and `>=x.y.z`."""
    if text in ("*", ""):
        return True
    if text[0] == "^":
        low = version(text[1:])
        return candidate[: 1] == low[: 1] and candidate >= low + (0,) * (3 - len(low))
    if text.startswith(">="):
        return candidate >= version(text[2:])
    return candidate == version(text.lstrip("="))


def split(text):
    symbol, _, wanted = text.partition("@")
    return symbol, wanted or "*"


def matches(pattern, symbol, candidate=None):
    name, wanted = split(pattern)
    if candidate is not None and not in_range(wanted, candidate):
        return False

    def go(pattern, segments):
        if not pattern:
            return not segments
        if pattern[0] == "**":
            return any(go(pattern[1:], segments[skip:]) for skip in range(len(segments) + 1))
        return bool(segments) and pattern[0] in ("*", segments[0]) and go(pattern[1:], segments[1:])

    return go(name.split("."), symbol.split("."))


class Model:
    """Agents, nodes and routes as lists of dictionaries; indices are positions in them."""

    def __init__(self, root):
        root = Path(root)

        def load(name, default):
            path = root / name
            return json.loads(path.read_text()) if path.exists() else default

        self.policy = load(".rtt/policy.json", {})
        self.lanes = dict(FIGURES)
        for lane, tuned in load(".rtt/tuned/lanes.json", {"lanes": {}})["lanes"].items():
            keys = ["base_us", "per10_us", "bandwidth_mbps", "cost"]
            self.lanes[lane] = tuple(tuned.get(key, old) for key, old in zip(keys, self.lanes[lane]))
        self.manifests = {}
        for path in sorted((root / "agents").rglob("*.agent.json")):
            manifest = json.loads(path.read_text())
            self.manifests[manifest["symbol"], version(manifest["version"])] = manifest
        self.by_symbol = {}
        for symbol, number in sorted(self.manifests):
            self.by_symbol.setdefault(symbol, []).append((symbol, number))
        self.connectors = load(".rtt/cache/connectors.json", {}).get("connectors", [])
        self.read_topology(load(".rtt/topology.json", None))
        applied = load("plans/last_applied.json", {"placement": [], "routes": []})
        self.applied_nodes = {place["agent"]: (place["host"], place["numa_node"]) for place in applied["placement"]}
        self.applied_routes = {(r["from"], r["to"]): (r["target"], r["via"]) for r in applied["routes"]}
        self.routes = [self.read_route(entry) for entry in load(".rtt/routes.json", {"routes": []})["routes"]]
        used = {route["source"] for route in self.routes}
        for route in self.routes:
            used |= {target for target, _ in route["candidates"] + route["backups"]}
        self.ids = sorted(used)
        index = {one: position for position, one in enumerate(self.ids)}
        for route in self.routes:
            route["source"] = index[route["source"]]
            for key in ("candidates", "backups"):
                route[key] = [(index[target], lane) for target, lane in route[key]]
        self.agents = [self.read_agent(one) for one in self.ids]

    def read_topology(self, topology):
        self.hosts = [host["name"] for host in topology["hosts"]]
        self.nodes = []
        for h, host in enumerate(topology["hosts"]):
            for position, node in enumerate(host["nodes"]):
                self.nodes.append({
                    "host": h, "id": node["id"], "position": position,
                    "cpu": scaled(node["cpu"], 1000, ROUND_FLOOR), "memory": scaled(node["memory_mb"], 1, ROUND_FLOOR),
                })
        self.links = {}
        for link in topology.get("links", []):
            pair = frozenset((self.hosts.index(link["a"]), self.hosts.index(link["b"])))
            self.links[pair] = (link.get("latency_us", 200), link.get("distance", 100), link.get("bandwidth_mbps"))

        def distance(n, m):
            if n["host"] != m["host"]:
                return self.link(n["host"], m["host"])[1]
            matrix = topology["hosts"][n["host"]].get("distance")
            if matrix:
                return matrix[n["position"]][m["position"]]
            return 10 if n["position"] == m["position"] else 20

        self.distance = [[distance(n, m) for m in self.nodes] for n in self.nodes]

    def link(self, a, b):
        return self.links.get(frozenset((a, b)), (200, 100, None))

    def name(self, one):
        return f"{one[0]}@{'.'.join(map(str, one[1]))}"

    def read_agent(self, one):
        manifest = self.manifests[one]
        resources = manifest.get("resources", {})
        allowed = []
        for index, node in enumerate(self.nodes):
            pins = [pin for pin in self.policy.get("pins", []) if "agent" in pin and matches(pin["agent"], *one)]
            if all(pin.get("host", self.hosts[node["host"]]) == self.hosts[node["host"]]
                   and pin.get("numa_node", node["id"]) == node["id"] for pin in pins):
                allowed.append(index)
        return {
            "name": self.name(one), "allowed": allowed, "applied": self.applied_nodes.get(self.name(one)),
            "cpu": scaled(resources.get("cpu", "0.1"), 1000, ROUND_CEILING),
            "memory": scaled(resources.get("memory_mb", 16), 1, ROUND_CEILING),
        }

    def allowed_by_acl(self, source, target, lane):
        acl = self.policy.get("acl")
        if acl is None:
            return True
        verdict = acl.get("default", "deny") == "allow"
        for rule in acl.get("rules", []):
            if lane in rule.get("via", LANES) and matches(rule.get("from", "**"), *source) and matches(rule.get("to", "**"), *target):
                if rule["effect"] == "deny":
                    return False
                verdict = True
        return verdict

    def opened(self, source, symbol, target, lane):
        """Whether the generated connector, if there is one, opens the lane."""
        name, goal = self.name(source), self.name(target)
        exact = [c for c in self.connectors if any(e["from"] == name and e["to"] == goal for e in c["serves"])]
        found = exact or [c for c in self.connectors if c["symbol"] == symbol and any(e["from"] == name for e in c["serves"])]
        return not found or any(lane in c["lanes"] for c in found)

    def pairs(self, source, symbol, targets, pinned):
        def lanes_of(one):
            return self.manifests[one].get("provides", {}).get("lanes", ["uds", "tcp"])

        found = []
        for target in targets:
            for lane in LANES:
                if (target != source and lane in lanes_of(source) and lane in lanes_of(target)
                        and (lane != "stdio" or "stdio" in self.manifests[target].get("endpoint", {}))
                        and self.allowed_by_acl(source, target, lane) and self.opened(source, symbol, target, lane)
                        and pinned(target, lane)):
                    found.append((target, lane))
        return found

    def read_route(self, entry):
        (from_symbol, from_range), (symbol, wanted) = split(entry["from"]), split(entry["to"])
        source = max(one for one in self.by_symbol[from_symbol] if in_range(from_range, one[1]))
        needed = next((n for n in self.manifests[source].get("requires", []) if n["symbol"] == symbol), None)

        def meets(one, check_version):
            if needed is None:
                return True
            has = set(self.manifests[one].get("provides", {}).get("capabilities", []))
            return (not check_version or in_range(needed.get("version", "*"), one[1])) and set(needed.get("capabilities", [])) <= has

        def pinned(target, lane):
            if entry.get("via", lane) != lane:
                return False
            for pin in self.policy.get("pins", []):
                if "agent" in pin or not (matches(pin.get("from", "**"), *source) and matches(pin.get("to", "**"), symbol)):
                    continue
                if pin.get("via", lane) != lane:
                    return False
                name, only = split(pin.get("target", symbol))
                if "target" in pin and not (name == target[0] and in_range(only, target[1])):
                    return False
            return True

        own = [one for one in self.by_symbol.get(symbol, []) if in_range(wanted, one[1]) and meets(one, True)]
        candidates = self.pairs(source, symbol, own, pinned)
        rule_of = lambda key: next((rule for rule in self.policy.get(key, []) if matches(rule.get("from", "**"), *source)
                                    and matches(rule.get("to", "**"), symbol)), None)
        failover = rule_of("failover")
        alternates = []
        for text in (failover or {}).get("alternates", []):
            name, only = split(text)
            alternates += [one for one in self.by_symbol.get(name, []) if in_range(only, one[1]) and meets(one, False)]
        backups = sorted(set(candidates + self.pairs(source, symbol, alternates, lambda target, lane: True)))
        rule = rule_of("qos") or {}
        ends = [source] + ([max(target for target, _ in candidates)] if candidates else [])
        of_ends = lambda key: [self.manifests[end]["qos"][key] for end in ends if key in self.manifests[end].get("qos", {})]

        def effective(key, choose):
            for qos in (rule, entry.get("qos", {})):
                if key in qos:
                    return qos[key]
            return choose(of_ends(key)) if of_ends(key) else None

        latency, throughput = effective("latency_ms", min), effective("throughput_mbps", max)
        return {
            "name": f"{entry['from']} -> {entry['to']}", "source": source, "candidates": candidates, "backups": backups,
            "latency": None if latency is None else scaled(latency, 1000, ROUND_FLOOR),
            "throughput": 1 if throughput is None else max(1, scaled(throughput, 1, ROUND_CEILING)),
            "strict": rule.get("strict", False), "priority": rule.get("priority", 1),
            "failover": failover and (failover.get("spread", "numa"), failover.get("required", False)),
            "applied": self.applied_routes.get((entry["from"], entry["to"])),
        }

    def service(self, route, lane, n, m):
        """(latency, violated) of a lane between two nodes; `None` where it does not reach or breaks strict bounds."""
        base, per10, bandwidth, _ = self.lanes[lane]
        a, b = self.nodes[n]["host"], self.nodes[m]["host"]
        if a == b:
            latency = base + per10 * max(0, self.distance[n][m] - 10) // 10
        elif lane == "tcp":
            latency = base + self.link(a, b)[0]
        else:
            return None
        violated = (route["latency"] is not None and latency > route["latency"]) or route["throughput"] > bandwidth
        return None if violated and route["strict"] else (latency, violated)

    def apart(self, spread, n, m):
        return n != m if spread == "numa" else self.nodes[n]["host"] != self.nodes[m]["host"]

    def ways(self, route):
        """Every way to serve a route: (target, lane, n, m, violated). Of lanes that differ in nothing that another
        part of the model sees, only the best is among them: it makes the peers' models smaller, not other."""
        for target in sorted({target for target, _ in route["candidates"]}):
            lanes = [lane for one, lane in route["candidates"] if one == target]
            for n in self.agents[route["source"]]["allowed"]:
                for m in self.agents[target]["allowed"]:
                    found = [(self.service(route, lane, n, m), self.lanes[lane][3], lane) for lane in lanes]
                    found = [(service[1], cost, lane) for service, cost, lane in found if service is not None]
                    if found and route["applied"] is None:
                        found = [min(found)]
                    for violated, _, lane in found:
                        yield target, lane, n, m, violated
