"""The section "loads" of Scripts/bench: whole servers under load on the loopback."""

from functools import partial

from bench_servers import PAIRS, SECONDS, compared, pairs, rpcs, serve, wrk
from bench_tables import plain_table, row

# The least throughput is 0.99 of the plain server's.
THROUGHPUT = round(1 / 0.99, 4)

# What to measure: its name, the framework, the load, the path, the goals of throughput and CPU.
CASES = [
    ("Hummingbird, nothing used", "hummingbird", wrk, "/buffered", THROUGHPUT, 1.02),
    ("Hummingbird, streamed, nothing used", "hummingbird", wrk, "/streamed", None, None),
    ("Hummingbird, one resource", "hummingbird", wrk, "/resource", None, 1.06),
    ("gRPC unary, nothing used", "grpc", rpcs, "/bench.Bench/Echo", None, None),
]


def measure(arguments):
    rows = []
    for name, framework, load, path, throughput, cpu in CASES:
        server = [arguments.servers, framework]
        with serve([*server, "adapter"]) as ours, serve([*server, "plain"]) as baseline:
            measured = pairs(partial(load, path=path), ours, baseline)
            resident = ours.resident(), baseline.resident()
        rows += [
            compared(name, measured, "throughput", "requests per second", throughput),
            compared(name, measured, "p50", "microseconds"),
            compared(name, measured, "p99", "microseconds"),
            compared(name, measured, "cpu", "microseconds per request", cpu),
            row(f"{name}: resident memory", *resident, "kilobytes"),
        ]
    title = f"Whole servers, beside the same without the library: medians of {PAIRS} pairs of {SECONDS} s in turn"
    plain_table(title, rows)
    return rows
