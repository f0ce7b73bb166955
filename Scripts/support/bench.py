"""The counting of Scripts/bench, and its table."""

import argparse
import json
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

READ = "bare task-local: read a class"
OPEN = "bare task-local: allocate a class and bind it"

# Ours, what it is compared with, the largest ratio allowed.
ROWS = [
    ("ambient read of a class, 8 values in use", READ, 0.95),
    ("ambient read of a number, 8 values in use", READ, 0.70),
    ("store-passed read of a number, 8 values in use", READ, 0.30),
    ("ambient read of a class in a child task", READ, None),
    ("ambient set of a number, 8 values in use", "dictionary under a lock: read a class", None),
    ("snapshot run", READ, None),
    ("open and close an unused store", OPEN, 1.0),
    ("the same, with 1 resource", "by hand: 1 resource, its release shielded", 1.5),
    ("the same, with 4 resources", "by hand: 4 resources, their releases shielded", 1.5),
    ("ready hit on a held resource", "ambient read of a class, 8 values in use", 2.0),
    ("memo hit", "ambient read of a class, 8 values in use", None),
]


def total(costs, name, count):
    with tempfile.NamedTemporaryFile() as output:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output.name}", costs, name, str(count)]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


def instructions(costs, name):
    """Those of one operation: two run lengths subtracted, so that what is done once does not count."""
    few, many = 1_000, 11_000
    return (total(costs, name, many) - total(costs, name, few)) / (many - few)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("costs")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    names = sorted({name for ours, baseline, _ in ROWS for name in (ours, baseline)})
    with ThreadPoolExecutor(2) as pool:
        counts = dict(zip(names, pool.map(lambda name: instructions(arguments.costs, name), names)))
    rows = []
    print("| operation | instructions | compared with | instructions | ratio | goal |")
    print("|---|---|---|---|---|---|")
    for ours, baseline, goal in ROWS:
        row = {
            "name": ours,
            "ours": round(counts[ours]),
            "baseline": round(counts[baseline]),
            "ratio": round(counts[ours] / counts[baseline], 2),
            "unit": "instructions",
        }
        if goal is not None:
            row["goal"] = goal
        rows.append(row)
        shown = "" if goal is None else f"≤ {goal:.2f}"
        print(f"| {ours} | {row['ours']:,} | {baseline} | {row['baseline']:,} | {row['ratio']:.2f} | {shown} |")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=2, ensure_ascii=False)


main()
