"""What something may cost at most: Benchmarks/thresholds.json."""

import json
import math

THRESHOLDS = "Benchmarks/thresholds.json"

counted = {}


def note(name, count):
    """Counts something that has a threshold."""
    counted[name] = count


def write():
    thresholds = {
        name: {"instructions": math.ceil(count.instructions * 1.05), "allocations": round(count.allocations, 2)}
        for name, count in counted.items()
    }
    with open(THRESHOLDS, "w", encoding="utf-8") as file:
        json.dump(thresholds, file, indent=2)
        file.write("\n")


def check():
    with open(THRESHOLDS, encoding="utf-8") as file:
        thresholds = json.load(file)
    failures = [f"{name}: no threshold for it" for name in counted.keys() - thresholds.keys()]
    for name, count in counted.items():
        for unit, most in thresholds.get(name, {}).items():
            measured = round(getattr(count, unit), 2)
            if measured > most:
                failures.append(f"{name}: {measured:,} {unit}, and {most:,} are allowed")
    if failures:
        raise SystemExit("error: " + "\nerror: ".join(failures))
