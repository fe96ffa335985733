#!/usr/bin/env python3
"""Writes JSON documents that are no manifests, of about 2 KB each and all different.

usage: objects.py FOLDER COUNT
"""
import json
import os
import sys

folder, count = sys.argv[1], int(sys.argv[2])
words = ["series", "region", "metric", "latency", "window", "bucket", "quota", "tenant"]
for number in range(count):
    if number % 1000 == 0:
        os.makedirs(f"{folder}/{number // 1000}")
    records = [
        {"id": number * 16 + row, "name": f"{words[(number + row) % 8]}-{number}-{row}", "value": (number * 31 + row * 7) % 997 / 8,
         "tags": [words[row % 8], words[(row + number) % 8]]}
        for row in range(20)
    ]
    with open(f"{folder}/{number // 1000}/{number}.json", "w") as file:
        json.dump({"document": f"record {number}", "records": records}, file, indent=1)
