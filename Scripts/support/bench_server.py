"""The section "server" of Scripts/bench: whole servers, plain beside with the adapter, under load on the loopback."""

import os
import re
import statistics
import struct
import subprocess
import tempfile
from collections import namedtuple
from contextlib import contextmanager

from bench_tables import plain_table, row

PAIRS = 15
SECONDS = 2

# The least throughput is 0.99 of the plain server's.
THROUGHPUT = round(1 / 0.99, 4)

Load = namedtuple("Load", "throughput p50 p99 cpu")


class Server:
    """A server that runs."""

    def __init__(self, process, port):
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    def cpu(self):
        """Seconds of CPU so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self):
        """Kilobytes of memory now."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


@contextmanager
def serve(servers, framework, variant, environment=None, under=()):
    process = subprocess.Popen(
        [*under, servers, framework, variant],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    try:
        yield Server(process, int(process.stdout.readline()))
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def output(command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def microseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1, "ms": 1_000, "s": 1_000_000}[unit]


# MARK: Loads


def wrk(server, path):
    before = server.cpu()
    text = output(["wrk", "-t2", "-c32", f"-d{SECONDS}s", "--latency", server.url + path])
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"error: {text}")
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    p50, p99 = (microseconds(re.search(rf"^\s+{part}%\s+(\S+)", text, re.M).group(1)) for part in (50, 99))
    throughput = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    return Load(throughput, p50, p99, (server.cpu() - before) / requests * 1_000_000)


def h2load(server, options, path, body=None):
    """Sends requests, RPCs where there is a body, and gives the time of each, in microseconds."""
    with tempfile.TemporaryDirectory() as folder:
        rpc = []
        if body is not None:
            with open(f"{folder}/body", "wb") as file:
                file.write(body)
            rpc = ["-d", f"{folder}/body", "-H", "content-type: application/grpc", "-H", "te: trailers"]
            # The status of an RPC is in its trailers, which h2load does not look at.
            if "grpc-status: 0" not in output(["nghttp", "-v", *rpc, server.url + path]):
                raise SystemExit(f"error: {path}: the RPC failed")
        output(["h2load", "-t1", f"--log-file={folder}/log", *options, *rpc, server.url + path])
        with open(f"{folder}/log", encoding="utf-8") as file:
            lines = [line.split() for line in file]
    if any(status != "200" for _, status, *_ in lines):
        raise SystemExit(f"error: {path}: a request failed")
    return sorted(int(time) for _, _, time, *_ in lines)


MESSAGE = b"hello"
RPC = struct.pack(">BI", 0, len(MESSAGE)) + MESSAGE


def rpcs(server, path):
    before = server.cpu()
    times = h2load(server, [f"-D{SECONDS}", "-c8", "-m4"], path, RPC)
    p50, p99 = (times[len(times) * part // 100] for part in (50, 99))
    return Load(len(times) / SECONDS, p50, p99, (server.cpu() - before) / len(times) * 1_000_000)


# What to measure: its name, the framework, the path, the load, the options of h2load for the counts, whether no more
# allocations are a goal.
CASES = [
    ("Hummingbird, buffered", "hummingbird", "/buffered", wrk, ["--h1"], None, True),
    ("Hummingbird, streamed", "hummingbird", "/streamed", wrk, ["--h1"], None, False),
    ("gRPC, unary", "grpc", "/bench.Echo/Echo", rpcs, [], RPC, False),
]


def measure(arguments):
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        counter = f"{folder}/count-allocations.so"
        source = "Benchmarks/Servers/count-allocations.c"
        subprocess.run(["clang", "-O2", "-shared", "-fPIC", "-o", counter, source], check=True)
        # Valgrind cannot read its debug information.
        stripped = f"{folder}/Servers"
        subprocess.run(["strip", "-g", "-o", stripped, arguments.servers], check=True)
        for name, framework, path, load, options, body, is_allocation_goal in CASES:
            rows += loads(arguments.servers, name, framework, path, load)
            variants = [(framework, variant, path, options, body) for variant in ("adapter", "plain")]
            ours, baseline = (instructions(stripped, *variant) for variant in variants)
            rows.append(row(f"{name}: instructions", ours, baseline, "instructions per request"))
            ours, baseline = (allocations(arguments.servers, *variant, counter) for variant in variants)
            goal = 1.0 if is_allocation_goal else None
            rows.append(row(f"{name}: allocations", ours, baseline, "allocations per request", goal))
    title = f"Whole servers with the adapter, beside plain: medians of {PAIRS} pairs of {SECONDS} s in turn, and counts"
    plain_table(title, rows)
    return rows


def loads(servers, name, framework, path, load):
    pairs = []
    with serve(servers, framework, "adapter") as ours, serve(servers, framework, "plain") as baseline:
        for server in (ours, baseline):
            load(server, path)
        for pair in range(PAIRS):
            # Each goes first as often as the other.
            if pair % 2 == 0:
                pairs.append((load(ours, path), load(baseline, path)))
            else:
                second = load(baseline, path)
                pairs.append((load(ours, path), second))
        resident = ours.resident(), baseline.resident()

    def compared(field, unit, goal=None, higher_is_better=False):
        us, them = ([getattr(side, field) for side in sides] for sides in zip(*pairs))
        result = row(
            f"{name}: {field}", statistics.median(us), statistics.median(them), unit, goal, higher_is_better, digits=1
        )
        ratios = [b / a if higher_is_better else a / b for a, b in zip(us, them)]
        result["ratio"] = round(statistics.median(ratios), 4)
        return result

    return [
        compared("throughput", "requests per second", THROUGHPUT if framework == "hummingbird" else None, True),
        compared("p50", "microseconds"),
        compared("p99", "microseconds"),
        compared("cpu", "microseconds per request"),
        row(f"{name}: resident memory", *resident, "kilobytes"),
    ]


def instructions(servers, framework, variant, path, options, body):
    """Those of one request, by callgrind: two numbers of requests subtracted."""
    few, many = 200, 1_200

    def count(requests):
        with tempfile.NamedTemporaryFile("r", encoding="utf-8") as log:
            under = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log.name}"]
            with serve(servers, framework, variant, {"SWIFT_DETERMINISTIC_HASHING": "1"}, under) as server:
                h2load(server, [*options, f"-n{requests}", "-c1", "-m1"], path, body)
            return int(re.search(r"Collected : (\d+)", log.read()).group(1))

    return (count(many) - count(few)) / (many - few)


def allocations(servers, framework, variant, path, options, body, counter):
    """Those of one request: two numbers of requests subtracted, so that those of the connection do not count."""
    few, many = 200, 2_200
    with tempfile.NamedTemporaryFile() as file:
        environment = {"LD_PRELOAD": counter, "ALLOCATIONS": file.name}
        with serve(servers, framework, variant, environment) as server:

            def count(requests):
                before = counted(file.name)
                h2load(server, [*options, f"-n{requests}", "-c1", "-m1"], path, body)
                return counted(file.name) - before

            count(few)
            first = count(few)
            # A timer that fires in between is none of a request's.
            return round((count(many) - first) / (many - few))


def counted(name):
    with open(name, "rb") as file:
        return struct.unpack("@l", file.read(8))[0]
