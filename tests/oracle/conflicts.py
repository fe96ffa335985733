"""Looks at a conflict that the planner reports: CP-SAT must find that it is one, that it is minimal, and that its
remedies are the cheapest that help."""

import copy

from cpsat import build
from ortools.sat.python import cp_model

PLENTY = 10**9


def feasible(model):
    built = build(model)
    if built is None:
        return False
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    status = solver.solve(built[0])
    assert status in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.INFEASIBLE), solver.status_name(status)
    return status != cp_model.INFEASIBLE


def node_of(model, about):
    return next(n for n in model.nodes if f"{model.hosts[n['host']]}/{n['id']}" == about)


def pair_of(model, about):
    return frozenset(model.hosts.index(name) for name in about.split(" - "))


def set_route(model, about, key, value):
    """A route that was given up has nothing to set."""
    for route in model.routes:
        if route["name"] == about:
            route[key] = value


def constraints(model):
    """Every constraint as (kind, about)."""
    found = [("candidates", route["name"]) for route in model.routes]
    found += [("bandwidth", " - ".join(model.hosts[end] for end in sorted(pair)))
              for pair, link in model.links.items() if link[2] is not None]
    for node in model.nodes:
        found += [(kind, f"{model.hosts[node['host']]}/{node['id']}") for kind in ("cpu", "memory")]
    found += [("pins", agent["name"]) for agent in model.agents if len(agent["allowed"]) < len(model.nodes)]
    found += [("redundancy", route["name"]) for route in model.routes if route["failover"] and route["failover"][1]]
    found += [("strict_qos", route["name"]) for route in model.routes if route["strict"]]
    return found


def change(model, kind, about, figure=None):
    """Gives a constraint up, or sets its figure."""
    if kind == "candidates":
        # Its agents stay, for they take room all the same.
        model.routes = [route for route in model.routes if route["name"] != about]
    elif kind == "bandwidth":
        latency, distance, _ = model.links[pair_of(model, about)]
        model.links[pair_of(model, about)] = (latency, distance, figure)
    elif kind in ("cpu", "memory"):
        node_of(model, about)[kind] = PLENTY if figure is None else figure
    elif kind == "pins":
        nodes = range(len(model.nodes)) if figure is None else [model.nodes.index(node_of(model, figure))]
        next(agent for agent in model.agents if agent["name"] == about)["allowed"] = list(nodes)
    elif kind == "redundancy":
        set_route(model, about, "failover", None)
    elif figure is None:
        set_route(model, about, "strict", False)
    else:
        set_route(model, about, "latency", figure)


def wrong(model, answer):
    """Returns what is wrong with a reported conflict, in words, or nothing."""
    members = [(member["constraint"], member["about"]) for member in answer["conflict"]]
    if not answer["minimal"]:
        return "the conflict is not said to be minimal"
    alone = copy.deepcopy(model)
    for constraint in constraints(model):
        if constraint not in members:
            change(alone, *constraint)
    if feasible(alone):
        return f"no conflict: {members}"
    for member in answer["conflict"]:
        kind, about, remedy = member["constraint"], member["about"], member["remedy"]
        without = copy.deepcopy(alone)
        change(without, kind, about)
        if not feasible(without):
            return f"{kind} of {about} is not needed in {members}"
        whole = copy.deepcopy(model)
        change(whole, kind, about)
        if feasible(whole) != member["suffices"]:
            return f"giving up {kind} of {about} {'does not suffice' if member['suffices'] else 'suffices'}"
        base = model if member["suffices"] else alone
        expected = []
        if remedy["kind"] == "raise":
            expected = [(remedy["to"], True), (remedy["to"] - 1, False)]
        elif remedy["kind"] == "place":
            expected = [(remedy["node"], True)]
        for figure, helps in expected:
            changed = copy.deepcopy(base)
            change(changed, kind, about, figure)
            if feasible(changed) != helps:
                return f"{kind} of {about} at {figure} {'does not help' if helps else 'helps already'}"
    return None
