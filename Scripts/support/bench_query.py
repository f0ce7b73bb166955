"""The section "query" of Scripts/bench: Examples/Notes lists notes from PostgreSQL, under load on the loopback."""

import json
import subprocess
from functools import partial
from urllib.request import Request, urlopen

from bench_servers import PAIRS, SECONDS, compared, pairs, serve, wrk
from bench_tables import plain_table

# The least throughput is 0.98 of that of the lease by hand.
THROUGHPUT = round(1 / 0.98, 4)

NOTES = 10
PATH = "/api/notes"


def measure(arguments):
    subprocess.run(["psql", f"{arguments.postgres}/postgres", "-qc", "CREATE DATABASE bench"], check=True)
    environment = {"PORT": "0", "DATABASE_URL": f"{arguments.postgres}/bench"}
    with serve([arguments.notes, "--unobserved"], environment) as ours:
        for number in range(NOTES):
            create(ours, {"title": f"note {number}", "body": "what there is to say " * 5})
        with serve([arguments.notes, "--lease-by-hand"], environment) as baseline:
            if listed(ours) != listed(baseline) or len(listed(ours)) != NOTES:
                raise SystemExit(f"error: {PATH}: the servers do not answer the same")
            measured = pairs(partial(wrk, path=PATH), ours, baseline)
    name = "Notes on PostgreSQL, the request's client"
    rows = [
        compared(name, measured, "throughput", "requests per second", THROUGHPUT),
        compared(name, measured, "p50", "microseconds"),
        compared(name, measured, "p99", "microseconds"),
        compared(name, measured, "cpu", "microseconds per request"),
    ]
    title = f"A real query, beside the same lease by hand: medians of {PAIRS} pairs of {SECONDS} s in turn"
    plain_table(title, rows)
    return rows


def create(server, note):
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(server.url + PATH, json.dumps(note).encode(), headers)) as response:
        response.read()


def listed(server):
    with urlopen(server.url + PATH) as response:
        return json.load(response)
