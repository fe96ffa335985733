"""Measures stage 40, CP-SAT and HiGHS on generated clustered instances, one process at a time, and prints Markdown tables.

Usage: planner.py BIN SCRATCH SEEDS SECONDS [SIZE…]     SECONDS: for each peer on each instance; 0: no peers
A SIZE is AGENTSxNODESxROUTES; all of the table below unless named. Exit code 1: a limit was missed.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import instances

# Agents, nodes, routes, hosts, and the efforts to measure.
SIZES = [(30, 4, 90, 1, [10]), (60, 4, 200, 1, [130]), (120, 8, 400, 1, [5, 50]), (400, 8, 1500, 1, [4, 50]),
         (5000, 64, 20000, 8, [20]), (50000, 512, 200000, 64, [100])]
# Seconds and MiB at most.
LIMITS = {5000: (30, 1024), 50000: (300, 6144)}


def prepare(folder, root, agents, nodes, routes, seed, hosts):
    subprocess.run(["rm", "-rf", root], check=True)
    subprocess.run([folder / "rtt-00-bootstrap", "--quiet", "--root", root], check=True, stdout=subprocess.DEVNULL)
    instances.clustered(root, agents, nodes, routes, seed, hosts)
    for stage in ("rtt-10-scan", "rtt-20-depdoctor", "rtt-30-generate"):
        subprocess.run([folder / stage, "--quiet", "--root", root], check=True, stdout=subprocess.DEVNULL)


def plan(folder, root, effort):
    """Seconds of the whole stage, MiB, status and levels."""
    log = root / "memory"
    started = time.monotonic()
    subprocess.run(["/usr/bin/time", "-f", "%M", "-o", log, folder / "rtt-40-solver", "--root", root, "--force",
                    "--effort", str(effort)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.monotonic() - started
    document = json.loads((root / "plans/LATEST").read_text())
    return {"seconds": seconds, "memory": int(log.read_text()) // 1024, **document, "levels": document["objective"]}


def peer(name, root, seconds):
    script = Path(__file__).parent.parent.parent / f"tests/oracle/{name}.py"
    run = subprocess.run([sys.executable, script, root, str(seconds), "2"], capture_output=True, text=True)
    try:
        return json.loads(run.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return {"status": "unknown", "levels": []}


def level(result, index=1):
    """Value and bound at a level, O2 unless said."""
    levels = result.get("levels", [])
    return (levels[index]["value"], levels[index]["bound"]) if len(levels) > index else None


def gap(pair):
    return 1.0 if pair is None else (pair[0] - pair[1]) / max(pair[0], 1)


def cell(results):
    """Medians: seconds, value at O2, gap at O2, how many are proven at all levels."""
    found = [level(result) for result in results]
    values = [pair[0] for pair in found if pair]
    value = f"{statistics.median(values):.0f}" if len(values) * 2 > len(found) else "none"
    proven = sum(result["status"] == "optimal" for result in results)
    seconds = statistics.median(result.get("seconds", 0) for result in results)
    return f"{seconds:.1f} | {value} | {100 * statistics.median(map(gap, found)):.1f} % | {proven} of {len(results)}"


def misses(agents, ours, peers):
    """What the results of one size miss, in words: `ours` by effort, `peers` by name, each a list over the seeds."""
    median = lambda results, of: statistics.median(of(result) for result in results)
    value = lambda result: level(result)[0] if level(result) else float("inf")
    seconds = lambda result: result.get("seconds", float("inf"))
    found = []
    if agents in LIMITS:
        for results in ours:
            if seconds(results[0]) > LIMITS[agents][0] or results[0]["memory"] > LIMITS[agents][1]:
                found.append("time or memory")
        return found
    if agents <= 60:
        if any(result["status"] != "optimal" for result in ours[0]):
            found.append("not all are proven")
        if peers and median(ours[0], seconds) > min(median(results, seconds) for results in peers) / 5:
            found.append("more than 1/5 of a peer's time")
        return found
    if peers:
        best = min(median(results, value) for results in peers)
        if median(ours[0], value) > best:
            found.append("a peer's plan is better")
        if median(ours[-1], value) > best * 0.9:
            found.append("with more effort not 10 % better")
        gaps = min(median(results, lambda result: gap(level(result))) for results in peers)
        if median(ours[-1], lambda result: gap(level(result))) > gaps / 2:
            found.append("more than half of a peer's gap")
    return found


def main(folder, scratch, seeds, seconds, *wanted):
    folder, scratch, missed = Path(folder), Path(scratch), False
    print("| agents × nodes × routes | | seconds | numa_distance | gap | proven | MiB |\n|---|---|---|---|---|---|---|")
    for agents, nodes, routes, hosts, efforts in SIZES:
        size = f"{agents}x{nodes}x{routes}"
        if wanted and size not in wanted:
            continue
        rows = {}
        for seed in range(1, (int(seeds) if agents < 5000 else 1) + 1):
            root = scratch / f"{size}-{seed}"
            prepare(folder, root, agents, nodes, routes, seed, hosts)
            for effort in efforts:
                rows.setdefault(f"rtt-40-solver --effort {effort}", []).append(plan(folder, root, effort))
            for name in ("cpsat", "highs") if agents < 5000 and float(seconds) else ():
                rows.setdefault(f"{name} {seconds} s", []).append(peer(name, root, seconds))
        for name, results in rows.items():
            memory = max((result.get("memory", 0) for result in results), default=0)
            print(f"| {size.replace('x', ' × ')} | {name} | {cell(results)} | {memory or ''} |", flush=True)
        ours = [results for name, results in rows.items() if name.startswith("rtt")]
        for what in misses(agents, ours, [results for name, results in rows.items() if not name.startswith("rtt")]):
            print(f"| {size.replace('x', ' × ')} | MISSED: {what} | | | | | |", flush=True)
            missed = True
    return missed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
