"""Turns strace's log of an apply into a list for `synthetic_plan --replay`: the bytes of every file and every sync.

Usage: writes.py LOG

A line `write BYTES` stands for one file that was written, synced and renamed and whose folder was synced; syncs beyond
these two a file are lines of their own.
"""

import re
import sys

sizes, syncs, begun = {}, 0, {}
for line in open(sys.argv[1], encoding="utf-8", errors="replace"):
    # A call during which another thread makes one stands on two lines.
    thread = line.split()[0]
    if (call := re.search(r"(write|fsync|fdatasync)\(\d+<([^>]*)>", line)):
        begun[thread] = call[1], call[2]
    done = re.search(r"= (\d+)$", line)
    if not done or thread not in begun:
        continue
    name, path = begun.pop(thread)
    if "telemetry" in path:
        continue
    if name != "write":
        syncs += 1
    elif "/.rtt" in path or "/plans/" in path:
        sizes[path] = sizes.get(path, 0) + int(done[1])
for size in sizes.values():
    print("write", size)
for _ in range(syncs - 2 * len(sizes)):
    print("sync")
