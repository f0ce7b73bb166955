"""The section "instructions" of Scripts/bench: what one operation costs."""

import bench_thresholds
from bench_callgrind import Count, operations
from bench_tables import row, shown_goal, shown_ratio, table

READ = "bare task-local: read a class"
OPEN = "bare task-local: allocate a class and bind it"
PARAMETER = "explicit parameter: read a class"
TRACING = "tracing's context: read a class"
DICTIONARY = "dictionary under a lock: read a class"

AMBIENT = "ambient read of a class, 8 values in use"
PASSED = "store-passed read of a number, 8 values in use"
UNUSED = "open and close an unused store"
ADAPTER = "open and close an unused store, as an adapter does it"

# Ours, what it is compared with, the largest ratio of instructions, the largest ratio of allocations.
ROWS = [
    (AMBIENT, READ, 0.95, None),
    (AMBIENT, TRACING, None, None),
    (AMBIENT, DICTIONARY, None, None),
    (AMBIENT, PARAMETER, None, None),
    ("ambient read of a number, 8 values in use", READ, 0.70, None),
    (PASSED, READ, 0.30, None),
    (PASSED, PARAMETER, None, None),
    ("ambient read of a class in a child task", READ, None, None),
    ("ambient set of a number, 8 values in use", "dictionary under a lock: set a number", None, None),
    ("snapshot run", READ, None, None),
    (UNUSED, OPEN, 1.2, 0.0),
    (ADAPTER, OPEN, None, None),
    ("open and close a store with 1 resource", "by hand: 1 resource, its release shielded", None, None),
    ("acquire and release 1 resource", "by hand: 1 resource, its release shielded", 4.0, None),
    ("open and close a store with 4 resources", "by hand: 4 resources, their releases shielded", None, None),
    ("acquire and release 4 resources", "by hand: 4 resources, their releases shielded", 4.5, None),
    ("open and close a store with 1 transaction", "by hand: 1 transaction", None, None),
    ("begin and end 1 transaction", "by hand: 1 transaction", None, None),
    ("ready hit on a held resource", AMBIENT, 2.0, None),
    ("memo hit", AMBIENT, 5.0, None),
    ("open and close a store that hands work over", "by hand: a shielded task", None, None),
    ("hand work over and run it", "by hand: a shielded task", None, None),
]

# What is not measured by itself: the difference between two operations.
DIFFERENCES = {
    "acquire and release 1 resource": ("open and close a store with 1 resource", UNUSED),
    "begin and end 1 transaction": ("open and close a store with 1 transaction", UNUSED),
    "acquire and release 4 resources": ("open and close a store with 4 resources", UNUSED),
    "hand work over and run it": ("open and close a store that hands work over", UNUSED),
}


# What waits for another thread costs what the two happen to do: a third more, and some allocations.
VARYING = {"open and close a store with 1 transaction"}


def measure(arguments):
    names = {name for ours, baseline, *_ in ROWS for name in (ours, baseline)}
    counts = operations(arguments.costs, sorted(names - DIFFERENCES.keys()))
    for name, (whole, part) in DIFFERENCES.items():
        counts[name] = counts[whole] - counts[part]
    rows = show(counts)
    for name, *_ in ROWS:
        # What is ours and measured by itself.
        if name not in DIFFERENCES:
            leeway = Count(counts[name].instructions / 3, 8) if name in VARYING else Count(0, 0)
            bench_thresholds.note(name, counts[name], leeway)
    return rows


def show(counts):
    rows, lines, named = [], [], set()
    for ours, baseline, goal, allocation_goal in ROWS:
        name = f"{ours}, beside {baseline}" if ours in named else ours
        named.add(ours)
        us, them = counts[ours], counts[baseline]
        instructions = row(name, us.instructions, them.instructions, "instructions", goal)
        allocations = row(name, us.allocations, them.allocations, "allocations", allocation_goal, digits=2)
        rows += [instructions, allocations]
        lines.append([
            ours,
            f"{instructions['ours']:,}",
            f"{allocations['ours']:g}",
            baseline,
            f"{instructions['baseline']:,}",
            f"{allocations['baseline']:g}",
            shown_ratio(instructions),
            shown_goal(instructions),
            shown_goal(allocations),
        ])
    head = ["operation", "instructions", "allocations", "compared with", "instructions", "allocations"]
    table("One operation", [*head, "ratio of instructions", "goal", "goal of allocations"], lines)
    return rows
