"""The section "times" of Scripts/bench: what an operation takes, by ordo-one/benchmark. Nothing is asserted of a time."""

import json
import os
import subprocess
import tempfile

from bench_instructions import DIFFERENCES, ROWS
from bench_tables import row, table

PACKAGE = "Benchmarks/Times"


def measure(_arguments):
    with tempfile.TemporaryDirectory() as folder:
        command = ["swift", "package", "--package-path", PACKAGE, "--allow-writing-to-directory", folder]
        command += ["benchmark", "--format", "jmh", "--path", folder, "--no-progress"]
        done = subprocess.run(command, capture_output=True, text=True)
        files = [name for name in os.listdir(folder) if name.endswith(".json")]
        if done.returncode != 0 or not files:
            raise SystemExit(f"error: {' '.join(command)}: {done.stdout}{done.stderr}")
        with open(f"{folder}/{files[0]}", encoding="utf-8") as file:
            results = json.load(file)
    times = {}
    for result in results:
        name = result["benchmark"].removeprefix("package.benchmark.Times.")
        # Microseconds of a thousand operations: nanoseconds of one.
        times[name] = result["secondaryMetrics"]["Time (wall clock)"]["scorePercentiles"]
    return show(times)


def show(times):
    rows, lines = [], []
    for ours, baseline, *_ in ROWS:
        if ours in DIFFERENCES:
            continue
        us, them = (times[name.replace(" ", "_")] for name in (ours, baseline))
        compared = [
            row(f"{ours}, beside {baseline}: p{part}", us[f"{part}.0"], them[f"{part}.0"], "nanoseconds", digits=1)
            for part in (50, 90)
        ]
        rows += compared
        p50, p90 = compared
        lines.append([
            ours, p50["ours"], p90["ours"], baseline, p50["baseline"], p90["baseline"], f"{p50['ratio']:.2f}"
        ])
    head = ["operation", "p50", "p90", "compared with", "p50", "p90", "ratio of p50"]
    table("Times of one operation in nanoseconds, of a thousand in a row; only reported", head, lines)
    return rows
