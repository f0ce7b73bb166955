"""The section "growth" of Scripts/bench: what an operation costs when there are more and more of something."""

from bench_callgrind import operations
from bench_tables import row, table

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
    return rows
