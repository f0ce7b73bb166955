"""Servers that run, the clients that put load on them, and what two of them are compared by."""

import os
import re
import statistics
import struct
import subprocess
import tempfile
from collections import namedtuple
from contextlib import contextmanager

from bench_tables import row

PAIRS = 15
SECONDS = 2

Load = namedtuple("Load", "throughput p50 p99 cpu")

MESSAGE = b"hello"
RPC = struct.pack(">BI", 0, len(MESSAGE)) + MESSAGE


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
def serve(command, environment=None):
    """A server whose first line ends with its port, until it is told to stop."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    try:
        yield Server(process, int(re.search(r"\d+$", process.stdout.readline().strip()).group()))
    finally:
        process.terminate()
        try:
            process.wait(60)
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


def rpcs(server, path):
    before = server.cpu()
    times = h2load(server, [f"-D{SECONDS}", "-c8", "-m4"], path, RPC)
    p50, p99 = (times[len(times) * part // 100] for part in (50, 99))
    return Load(len(times) / SECONDS, p50, p99, (server.cpu() - before) / len(times) * 1_000_000)


# MARK: Two servers


def pairs(load, ours, baseline):
    """Puts the same load on both in turn."""
    for server in (ours, baseline):
        load(server)
    pairs = []
    for pair in range(PAIRS):
        # Each goes first as often as the other.
        if pair % 2 == 0:
            pairs.append((load(ours), load(baseline)))
        else:
            second = load(baseline)
            pairs.append((load(ours), second))
    return pairs


def compared(name, pairs, field, unit, goal=None):
    """A row of medians; its ratio is the median of those of the pairs."""
    higher_is_better = field == "throughput"
    us, them = ([getattr(side, field) for side in sides] for sides in zip(*pairs))
    result = row(
        f"{name}: {field}", statistics.median(us), statistics.median(them), unit, goal, higher_is_better, digits=1
    )
    ratios = [b / a if higher_is_better else a / b for a, b in zip(us, them)]
    result["ratio"] = round(statistics.median(ratios), 4)
    return result
