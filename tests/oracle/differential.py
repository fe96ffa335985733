"""Compares the planner with CP-SAT on random small workspaces with every feature.

Usage: differential.py BIN [COUNT [FIRST]]    BIN: folder of the executables; COUNT: 300 unless said; FIRST: seed, 0

Two rounds a workspace: without and with a plan that was applied before. Values of all five levels, the status, and
infeasibility must be the same; a conflict must be one, minimal, and its remedies the cheapest that help. A second run that
may recall the searches of the first must write the same plan. Exit code 1 if something differs. Workspaces that differ
are kept and named.
"""

import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import instances
from conflicts import wrong
from cpsat import solve
from model import Model


def stage(folder, name, root, *options):
    env = {key: value for key, value in os.environ.items() if not key.startswith("HWLOC_")}
    run = subprocess.run([folder / name, "--root", root, *options], capture_output=True, text=True, env=env)
    return run.returncode, run.stdout + run.stderr


def summary(text):
    """The document at the beginning of a run's output."""
    return json.JSONDecoder().raw_decode(text)[0]


def compare(folder, root, seen):
    """Returns what differs, in words, or nothing."""
    code, text = stage(folder, "rtt-40-solver", root, "--force", "--format", "json")
    model = Model(root)
    expected = solve(model, workers=1)
    if code == 0:
        plan = json.loads((root / "plans/LATEST").read_text())
        found = [level["value"] for level in plan["objective"]]
        wanted = [level["value"] for level in expected.get("levels", [])]
        seen.update(f"level {level} > 0" for level, value in enumerate(found, 1) if value)
        seen["feasible"] += 1
        if (plan["status"], found) != (expected["status"], wanted):
            return f"{plan['status']} {found}, not {expected['status']} {wanted}"
        (root / "plans/LATEST").unlink()
        code, text = stage(folder, "rtt-40-solver", root, "--format", "json")
        seen["recalled searches"] += summary(text)["figures"]["recalled"]
        if json.loads((root / "plans/LATEST").read_text())["plan_id"] != plan["plan_id"]:
            return "another plan when searches are recalled"
    elif "No feasible solution" in text:
        seen["infeasible"] += 1
        if expected["status"] != "infeasible":
            return f"infeasible, not {expected}"
        answer = summary(text)["answer"]
        seen["members of conflicts"] += len(answer["conflict"])
        return wrong(model, answer)
    else:
        return f"exit code {code}: {text[-2000:]}"
    return None


def main(folder, count=300, first=0):
    folder, wrong, seen = Path(folder).resolve(), 0, collections.Counter()
    done, seed = 0, int(first)
    while done < int(count):
        root = Path(tempfile.mkdtemp(prefix=f"rtt-oracle-{seed}-"))
        stage(folder, "rtt-00-bootstrap", root)
        instances.small(root, seed)
        # A workspace that an earlier stage refuses has nothing to plan.
        ready = all(stage(folder, name, root)[0] == 0 for name in ("rtt-10-scan", "rtt-20-depdoctor", "rtt-30-generate"))
        if ready:
            difference = compare(folder, root, seen)
            latest = root / "plans/LATEST"
            if difference is None and latest.exists():
                topology = json.loads((root / ".rtt/topology.json").read_text())
                applied = instances.perturb(json.loads(latest.read_text()), seed, topology)
                (root / "plans/last_applied.json").write_text(json.dumps(applied))
                difference = compare(folder, root, seen)
            done += 1
            if difference:
                wrong += 1
                print(f"seed {seed} ({root}): {difference}", flush=True)
        else:
            seen["refused by an earlier stage"] += 1
        if not (ready and difference):
            shutil.rmtree(root)
        seed += 1
    print(f"{done} workspaces, {wrong} differ: {dict(sorted(seen.items()))}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
