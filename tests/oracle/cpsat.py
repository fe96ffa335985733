"""The routing model in OR-Tools CP-SAT (`pip install ortools`), solved level by level.

Usage: cpsat.py ROOT [SECONDS [WORKERS]]

Prints one JSON object: the status, and of each level the value and the bound. SECONDS limits all levels together.
"""

import json
import sys
import time

from model import Model
from ortools.sat.python import cp_model

LEVELS = ["qos_violations", "numa_distance", "communication_cost", "missing_redundancy", "churn"]


def build(model):
    """Returns the CP-SAT model and the expressions of the five levels; `None` if something has no possibility."""
    cp = cp_model.CpModel()
    x = [{n: cp.new_bool_var("") for n in agent["allowed"]} for agent in model.agents]
    levels = [[] for _ in LEVELS]
    for agent, at in zip(model.agents, x):
        if not at:
            return None
        cp.add_exactly_one(at.values())
        if agent["applied"] is not None:
            here = [var for n, var in at.items()
                    if (model.hosts[model.nodes[n]["host"]], model.nodes[n]["id"]) == agent["applied"]]
            levels[4].append(1 - sum(here))
    for n, node in enumerate(model.nodes):
        for key in ("cpu", "memory"):
            cp.add(sum(agent[key] * at[n] for agent, at in zip(model.agents, x) if n in at) <= node[key])
    loads = {}
    for route in model.routes:
        served, by_end, at_source, at_target = [], {}, {}, {}
        source = x[route["source"]]
        for target, lane, n, m, violated in model.ways(route):
            var = cp.new_bool_var("")
            served.append(var)
            by_end.setdefault((target, n, m), []).append(var)
            at_source.setdefault(n, []).append(var)
            at_target.setdefault((target, m), []).append(var)
            levels[0].append(route["priority"] * violated * var)
            levels[1].append(route["throughput"] * (model.distance[n][m] - 10) * var)
            levels[2].append(route["throughput"] * model.lanes[lane][3] * var)
            if route["applied"] not in (None, (model.agents[target]["name"], lane)):
                levels[4].append(1 * var)
            hosts = frozenset((model.nodes[n]["host"], model.nodes[m]["host"]))
            if len(hosts) == 2:
                loads.setdefault(hosts, []).append(route["throughput"] * var)
        if not served:
            return None
        cp.add_exactly_one(served)
        for n, var in source.items():
            cp.add(sum(at_source.get(n, [])) == var)
        for (target, m), used in at_target.items():
            cp.add(sum(used) <= x[target][m])
        if route["failover"] is None:
            continue
        spread, required = route["failover"]
        proofs = []
        for (target, n, m), used in by_end.items():
            places = {(t, k) for t, lane in route["backups"] if t != target
                      for k in x[t] if model.apart(spread, m, k) and model.service(route, lane, n, k) is not None}
            for t, k in sorted(places):
                proof = cp.new_bool_var("")
                cp.add(proof <= sum(used))
                cp.add(proof <= x[t][k])
                proofs.append(proof)
        missing = cp.new_bool_var("")
        cp.add(missing + sum(proofs) >= 1)
        if required:
            cp.add(missing == 0)
        levels[3].append(1 * missing)
    for hosts, load in loads.items():
        bandwidth = model.link(*hosts)[2]
        if bandwidth is not None:
            cp.add(sum(load) <= bandwidth)
    return cp, [sum(level) for level in levels]


def solve(model, seconds=None, workers=2):
    started = time.monotonic()
    built = build(model)
    if built is None:
        return {"status": "infeasible"}
    cp, levels = built
    found = {"status": "optimal", "levels": []}
    for name, level in zip(LEVELS, levels):
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = workers
        if seconds is not None:
            left = seconds - (time.monotonic() - started)
            if left <= 0.1:
                found["status"] = "feasible"
                break
            solver.parameters.max_time_in_seconds = left
        if isinstance(level, int):
            found["levels"].append({"name": name, "value": level, "bound": level})
            continue
        cp.minimize(level)
        status = solver.solve(cp)
        if status == cp_model.INFEASIBLE:
            return {"status": "infeasible"}
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            found["status"] = "unknown"
            break
        value = round(solver.objective_value)
        bound = value if status == cp_model.OPTIMAL else round(solver.best_objective_bound)
        found["levels"].append({"name": name, "value": value, "bound": bound})
        if status != cp_model.OPTIMAL:
            found["status"] = "feasible"
            break
        cp.add(level == value)
        # What this level found starts the next one.
        cp.clear_hints()
        for index in range(len(cp.proto.variables)):
            cp.add_hint(cp.get_bool_var_from_proto_index(index), solver.response_proto.solution[index])
    found["seconds"] = round(time.monotonic() - started, 3)
    return found


if __name__ == "__main__":
    root, *limits = sys.argv[1:]
    limits = [float(limit) for limit in limits]
    print(json.dumps(solve(Model(root), *limits[:1], *(int(limit) for limit in limits[1:2]))))
