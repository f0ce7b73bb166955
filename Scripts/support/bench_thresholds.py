"""What something may cost at most: Benchmarks/thresholds.json."""

import json
import math

from bench_callgrind import Count

THRESHOLDS = "Benchmarks/thresholds.json"

counted, leeways = {}, {}


def note(name, count, leeway=Count(0, 0)):
    """Counts something that has a threshold, and by how much it may differ each time."""
    counted[name] = count
    leeways[name] = leeway


def write():
    """Allows 5 % more instructions than were counted. What was not counted keeps its threshold."""
    thresholds = read()
    for name, count in counted.items():
        leeway = leeways[name]
        thresholds[name] = {
            "instructions": math.ceil(count.instructions * 1.05 + leeway.instructions),
            "allocations": round(count.allocations + leeway.allocations, 2),
        }
    with open(THRESHOLDS, "w", encoding="utf-8") as file:
        json.dump(thresholds, file, indent=2)
        file.write("\n")


def read():
    with open(THRESHOLDS, encoding="utf-8") as file:
        return json.load(file)


def check():
    thresholds = read()
    failures = [f"{name}: no threshold for it" for name in counted.keys() - thresholds.keys()]
    for name, count in counted.items():
        for unit, most in thresholds.get(name, {}).items():
            measured = round(getattr(count, unit), 2)
            if measured > most:
                failures.append(f"{name}: {measured:,} {unit}, and {most:,} are allowed")
    if failures:
        raise SystemExit("error: " + "\nerror: ".join(failures))
