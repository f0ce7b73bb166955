"""The section "requests" of Scripts/bench: what one request costs a whole server, counted by callgrind."""

import os
import re
import subprocess
import tempfile
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import bench_thresholds
from bench_callgrind import Count, allocations
from bench_servers import RPC, h2load, serve
from bench_tables import plain_table, row

FEW, MANY = 100, 600

# How a request, its client and the event loop meet is not the same in every process.
ROUNDS = 3

# The largest ratio of instructions, and how many allocations more there may be.
Goal = namedtuple("Goal", "instructions allocations", defaults=[None, None])
Case = namedtuple("Case", "name framework path options body goal ours baseline", defaults=[Goal(), "adapter", "plain"])

HTTP1 = ["--h1"]

# Mounted, and nobody looks: beside the same without it.
INSPECTED = ("inspector", "adapter")

CASES = [
    Case("Hummingbird, nothing used", "hummingbird", "/buffered", HTTP1, None, Goal(1.03, 1)),
    Case("Hummingbird, streamed, nothing used", "hummingbird", "/streamed", HTTP1, None),
    Case("Hummingbird, one resource", "hummingbird", "/resource", HTTP1, None, Goal(1.09, 14)),
    Case("Hummingbird, nothing used, with the inspector", "hummingbird", "/buffered", HTTP1, None, Goal(1.05), *INSPECTED),
    Case("Hummingbird, one resource, with the inspector", "hummingbird", "/resource", HTTP1, None, Goal(1.05), *INSPECTED),
    Case("gRPC unary, nothing used", "grpc", "/bench.Bench/Echo", [], RPC),
    Case("gRPC unary, one resource", "grpc", "/bench.Bench/Thing", [], RPC, Goal(1.09)),
    Case("NIO loop, one resource", "nio", "/resource", HTTP1, None, Goal(1.09)),
]


def measure(arguments):
    with tempfile.TemporaryDirectory() as folder:
        # Valgrind cannot read its debug information.
        stripped = f"{folder}/Servers"
        subprocess.run(["strip", "-g", "-o", stripped, arguments.servers], check=True)
        variants = [(case, variant) for case in CASES for variant in (case.ours, case.baseline)]
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            counts = list(pool.map(lambda variant: request(stripped, *variant), variants))
    rows = []
    for case, ours, baseline in zip(CASES, counts[::2], counts[1::2]):
        instructions, allocations = case.goal
        rows += [
            row(
                f"{case.name}: instructions", ours.instructions, baseline.instructions, "instructions", instructions
            ),
            row(
                f"{case.name}: allocations",
                ours.allocations,
                baseline.allocations,
                "allocations",
                digits=1,
                more=allocations,
            ),
        ]
        # What a framework takes is none of ours, and changes with its version.
        leeway = Count(baseline.instructions / 16, 2)
        bench_thresholds.note(f"{case.name}: more than without", ours - baseline, leeway)
    plain_table(f"One request of a whole server, beside the same without what is measured: medians of {ROUNDS}", rows)
    return rows


def request(servers, case, variant):
    """What one takes: two numbers of requests subtracted, so that what is done once does not count."""
    few, many = ([requests(servers, case, variant, number) for _ in range(ROUNDS)] for number in (FEW, MANY))
    rounds = [(much - little) / (MANY - FEW) for much, little in zip(many, few)]
    # A timer that fires in between is none of a request's.
    return Count(median(count.instructions for count in rounds), round(median(count.allocations for count in rounds), 1))


def requests(servers, case, variant, number):
    """What a server takes that serves so many requests, one after the other on one connection, and is told to stop."""
    with tempfile.NamedTemporaryFile("r") as log, tempfile.NamedTemporaryFile("r", errors="replace") as profile:
        callgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile.name}", f"--log-file={log.name}"]
        # Names in full, and no random seed in the hashing.
        callgrind += ["--compress-strings=no", "--compress-pos=no"]
        environment = {"SWIFT_DETERMINISTIC_HASHING": "1"}
        with serve([*callgrind, servers, case.framework, variant], environment) as server:
            h2load(server, [*case.options, f"-n{number}", "-c1", "-m1"], case.path, case.body)
        total = re.search(r"Collected : (\d+)", log.read())
        if total is None:
            raise SystemExit(f"error: {case.name}, {variant}: the server did not end by itself")
        return Count(int(total.group(1)), allocations(profile))
