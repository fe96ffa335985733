"""The routing model without failover, link bandwidths and applied plan as a mixed-integer program for HiGHS
(`pip install highspy`), solved level by level: what the benchmark's instances need.

Usage: highs.py ROOT SECONDS [WORKERS]      Prints what cpsat.py prints.
"""

import json
import math
import sys
import time

import highspy
import numpy
from model import Model

LEVELS = ["qos_violations", "numa_distance", "communication_cost"]


def solve(model, seconds, workers=2):
    started = time.monotonic()
    costs, rows, upper, lower = [], [], [], []

    def column(*cost):
        costs.append(cost)
        return len(costs) - 1

    def row(entries, least, most):
        rows.append(entries)
        lower.append(least)
        upper.append(most)

    x = [{n: column(0, 0, 0) for n in agent["allowed"]} for agent in model.agents]
    for at in x:
        row([(var, 1) for var in at.values()], 1, 1)
    for n, node in enumerate(model.nodes):
        for key in ("cpu", "memory"):
            row([(at[n], agent[key]) for agent, at in zip(model.agents, x) if n in at], -math.inf, node[key])
    for route in model.routes:
        assert route["failover"] is None and route["applied"] is None
        at_source, at_target, all_of = {}, {}, []
        for target, lane, n, m, violated in model.ways(route):
            var = column(route["priority"] * violated, route["throughput"] * (model.distance[n][m] - 10),
                         route["throughput"] * model.lanes[lane][3])
            all_of.append((var, 1))
            at_source.setdefault(n, []).append((var, 1))
            at_target.setdefault((target, m), []).append((var, 1))
        row(all_of, 1, 1)
        for n, var in x[route["source"]].items():
            row(at_source.get(n, []) + [(var, -1)], 0, 0)
        for (target, m), used in at_target.items():
            row(used + [(x[target][m], -1)], -math.inf, 0)
    found = {"status": "optimal", "levels": []}
    fixed = []
    start = None
    for index, name in enumerate(LEVELS):
        left = seconds - (time.monotonic() - started)
        if left <= 0.1:
            found["status"] = "feasible"
            break
        all_rows = rows + [entries for entries, _ in fixed]
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(costs), len(all_rows)
        lp.col_cost_ = numpy.array([cost[index] for cost in costs], dtype=float)
        lp.col_lower_, lp.col_upper_ = numpy.zeros(len(costs)), numpy.ones(len(costs))
        lp.integrality_ = [highspy.HighsVarType.kInteger] * len(costs)
        lp.row_lower_ = numpy.array(lower + [-math.inf] * len(fixed))
        lp.row_upper_ = numpy.array(upper + [value for _, value in fixed], dtype=float)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = numpy.cumsum([0] + [len(entries) for entries in all_rows])
        lp.a_matrix_.index_ = numpy.array([var for entries in all_rows for var, _ in entries])
        lp.a_matrix_.value_ = numpy.array([value for entries in all_rows for _, value in entries], dtype=float)
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", workers)
        solver.setOptionValue("mip_rel_gap", 0.0)
        solver.setOptionValue("mip_abs_gap", 0.5)
        solver.setOptionValue("time_limit", left)
        solver.passModel(lp)
        if start is not None:
            solver.setSolution(start)
        solver.run()
        status, info = solver.getModelStatus(), solver.getInfo()
        if status == highspy.HighsModelStatus.kInfeasible:
            return {"status": "infeasible"}
        if not math.isfinite(info.objective_function_value) or info.primal_solution_status != 2:
            found["status"] = "unknown"
            break
        value = round(info.objective_function_value)
        is_optimal = status == highspy.HighsModelStatus.kOptimal
        bound = value if is_optimal else max(0, math.ceil(info.mip_dual_bound - 1e-6))
        found["levels"].append({"name": name, "value": value, "bound": bound})
        if not is_optimal:
            found["status"] = "feasible"
            break
        start = solver.getSolution()
        fixed.append(([(var, cost[index]) for var, cost in enumerate(costs) if cost[index]], value))
    found["seconds"] = round(time.monotonic() - started, 3)
    return found


if __name__ == "__main__":
    root, seconds, *workers = sys.argv[1:]
    print(json.dumps(solve(Model(root), float(seconds), *(int(one) for one in workers))))
