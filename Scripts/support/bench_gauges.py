"""The sections "memory" and "readers" of Scripts/bench: what is neither counted nor timed one by one."""

import subprocess

from bench_tables import plain_table, row

# The bytes that are allowed.
FOOTPRINTS = {"an open store, unused": 256, "an open store, with 4 values and 2 resources": 512}

# The smallest gain of eight child tasks over one, upside down.
READERS = {"ambient read of a number": 1 / 1.7, "bare task-local": None}


def gauge(executable, what):
    lines = subprocess.run([executable, what], check=True, capture_output=True, text=True).stdout.splitlines()
    return {name: float(number) for name, number in (line.split("\t") for line in lines)}


def measure_memory(arguments):
    measured = gauge(arguments.gauges, "memory")
    rows = [row(name, measured[name], allowed, "bytes", 1.0) for name, allowed in FOOTPRINTS.items()]
    plain_table("Memory, beside what is allowed", rows)
    return rows


def measure_readers(arguments):
    measured = gauge(arguments.gauges, "readers")
    rows = []
    for name, goal in READERS.items():
        one, eight = measured[f"{name}, 1 child task"], measured[f"{name}, 8 child tasks"]
        goal = goal and round(goal, 3)
        rows.append(row(f"8 child tasks at once: {name}", eight, one, "reads per second", goal, higher_is_better=True))
    plain_table("8 child tasks reading at once, beside 1", rows)
    return rows
