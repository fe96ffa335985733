"""Turns strace's log of an apply into a list for `synthetic_plan --replay`: the bytes of every file and every sync.

Usage: writes.py LOG

A line `write BYTES` stands for one file that was written, synced and renamed and whose folder was synced; syncs beyond
these two a file are lines of their own.
"""

import re
import sys

sizes, syncs = {}, 0
for line in open(sys.argv[1], encoding="utf-8", errors="replace"):
    found = re.search(r"(write|fsync|fdatasync)\(\d+<([^>]*)>.*= (\d+)$", line)
    if not found or "telemetry" in found[2]:
        continue
    if found[1] != "write":
        syncs += 1
    elif "/.rtt" in found[2] or "/plans/" in found[2]:
        sizes[found[2]] = sizes.get(found[2], 0) + int(found[3])
for size in sizes.values():
    print("write", size)
for _ in range(syncs - 2 * len(sizes)):
    print("sync")
