"""The section "growth" of Scripts/bench: what an operation costs when there are more and more of something."""

from bench_callgrind import operations
from bench_gauges import gauge
from bench_tables import plain_table, row, table

UP_TO_64 = [1, 2, 4, 8, 16, 32, 64]
DEPTHS = [1, 2, 4, 8, 16, 32]
REQUESTS = [1, 10, 100, 1_000, 10_000]

# Where a cost may not grow: the noise of a count.
FLAT = 1.05

# Of what there are more and more; each operation, how often to do it, whether it is done for each of them, and how much it
# may grow.
TABLES = [
    ("values", UP_TO_64, [
        ("read a value, by values set", 10_000, False, None),
        ("open, set values, close, by values", 1_000, True, None),
    ]),
    ("resources", UP_TO_64, [
        ("ready hit, by resources held", 1_000, False, None),
        ("open, acquire resources, close, by resources", 100, True, None),
    ]),
    ("nested stores", DEPTHS, [
        ("read a root's value, by depth", 10_000, False, None),
        ("open and close a child, by depth", 1_000, False, None),
    ]),
    ("open requests", REQUESTS, [
        ("read a value, by open requests", 10_000, False, FLAT),
        ("open and close a store, by open requests", 1_000, False, FLAT),
        ("acquire a resource, by open requests", 1_000, False, FLAT),
    ]),
    ("jobs", UP_TO_64, [("open, hand jobs over, close, by jobs", 100, True, None)]),
]


def measure(arguments):
    rows = []
    for what, sizes, growths in TABLES:
        lines = []
        for name, times, is_divided, goal in growths:
            counts = operations(arguments.costs, [f"{name}: {size}" for size in sizes], times)
            costs = [counts[f"{name}: {size}"].instructions / (size if is_divided else 1) for size in sizes]
            name += " (for each)" if is_divided else ""
            for size, cost in zip(sizes, costs):
                rows.append(row(f"{name}: {size}", cost, costs[0], "instructions", None if size == 1 else goal))
            lines.append([name, *(f"{cost:,.0f}" for cost in costs), f"{costs[-1] / costs[0]:.2f}"])
        head = [f"instructions, by the number of {what}", *(f"{size:,}" for size in sizes), "last / first"]
        table(f"Growth with the number of {what}", head, lines)
    return rows + measure_crowds(arguments)


DEPTHS_OF_LAYERS = [13, 26, 52, 104, 208]


def measure_crowds(arguments):
    """What several threads are at, beside what it is compared with, in one run."""
    measured = gauge(arguments.gauges, "growth")
    rows = [
        row("1,000 children at work, beside as many stores", measured["1,000 children at work"],
            measured["1,000 stores at work"], "µs"),
        row("10,000 flights of one memo, beside an actor with a dictionary", measured["10,000 flights of one memo at once"],
            measured["10,000 flights of an actor with a dictionary"], "µs", 3.0),
    ]
    few, many = (f"children that come and go: {count}" for count in [100_000, 1_000_000])
    rows.append(row("a million children that come and go, beside ten times as many as come and go of 100,000",
                    measured[f"{many}, microseconds"], 10 * measured[f"{few}, microseconds"], "µs", 1.2))
    rows.append(row("what their parent keeps of them", max(0, measured[f"{many}, bytes"]),
                    max(0, measured[f"{few}, bytes"]), "bytes"))
    costs = {depth: measured[f"1,000 searches for a cycle, by layers of two: {depth}"] for depth in DEPTHS_OF_LAYERS}
    first = DEPTHS_OF_LAYERS[0]
    for depth, cost in costs.items():
        rows.append(row(f"1,000 searches for a cycle in {depth} layers of two, beside {first} layers, for each layer",
                        cost / depth, costs[first] / first, "µs"))
    plain_table("Many at once, on the cores of this machine", rows)
    return rows
