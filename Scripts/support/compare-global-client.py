"""The load of Scripts/compare-global-client, and its table."""

import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter

WORKERS = 32
TENANTS = [f"tenant-{number}" for number in range(8)]


async def request(port, method, path, tenant, body=None):
    """One request on a connection of its own: the status, or 0 where there was no answer, and the body."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        content = json.dumps(body).encode() if body else b""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX-Tenant: {tenant}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        writer.write(head.encode() + content)
        answer = await asyncio.wait_for(reader.read(), 30)
        writer.close()
        head, _, content = answer.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" in head.lower():
            return 0, b""
        return int(head.split()[1]), content
    except (OSError, asyncio.TimeoutError, IndexError, ValueError):
        return 0, b""


class Load:
    """A third of the requests write, a third write and then fail, a third read; every note says whose it is."""

    def __init__(self, port, requests):
        self.port = port
        self.left = requests
        self.seen = Counter(requests=requests, errors=0, wrong=0)
        self.promised = set()
        self.refused = set()

    async def run(self):
        await asyncio.gather(*(self.work(random.Random(number)) for number in range(WORKERS)))

    async def work(self, choice):
        while self.left > 0:
            self.left -= 1
            number = self.left
            tenant = choice.choice(TENANTS)
            note = {"title": f"{tenant}/{number}", "body": "b"}
            kind = number % 3
            if kind == 0:
                status, _ = await request(self.port, "POST", "/api/notes", tenant, note)
                (self.promised if status == 201 else self.refused).add((tenant, note["title"]))
                self.seen["errors"] += status != 201
            elif kind == 1:
                status, _ = await request(self.port, "POST", "/api/notes?fail=conflict", tenant, note)
                self.refused.add((tenant, note["title"]))
                self.seen["errors"] += status != 409
            else:
                status, content = await request(self.port, "GET", "/api/notes", tenant)
                self.seen["errors"] += status != 200
                if status == 200:
                    titles = (note["title"] for note in json.loads(content))
                    self.seen["wrong"] += any(not title.startswith(f"{tenant}/") for title in titles)


def rows_of_sqlite(path):
    with sqlite3.connect(path) as database:
        return {tuple(row) for row in database.execute("SELECT tenant, title FROM note")}


def rows_of_postgres(url):
    command = ["psql", url, "-At", "-F", "\t", "-c", "SELECT tenant, title FROM note"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {tuple(line.split("\t")) for line in output.splitlines()}


def measure(notes, environment, arguments, rows, requests):
    service = subprocess.Popen(
        [notes, *arguments],
        env={**os.environ, "PORT": "0", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        port = int(service.stdout.readline().rsplit(":", 1)[1])
        load = Load(port, requests)
        asyncio.run(load.run())
    finally:
        service.send_signal(signal.SIGTERM)
        try:
            service.wait(30)
        except subprocess.TimeoutExpired:
            service.kill()
            service.wait()
    stored = rows()
    return [
        load.seen["requests"],
        load.seen["errors"],
        load.seen["wrong"],
        len(load.promised - stored),
        len(stored & load.refused),
        len(stored - load.promised - load.refused),
    ]


def main():
    notes, postgres, requests = sys.argv[1], sys.argv[2], int(sys.argv[3])
    print("| database | client | requests | errors | wrong-tenant reads | rows lost | rows left by a request that failed | rows in another tenant |")
    print("|---|---|---|---|---|---|---|---|")
    for name in ["SQLite", "PostgreSQL"]:
        for client, arguments in [("one for each request", []), ("one for all", ["--global-client"])]:
            with tempfile.TemporaryDirectory() as folder:
                if name == "SQLite":
                    path = os.path.join(folder, "notes.sqlite")
                    figures = measure(notes, {"NOTES_DATABASE": path}, arguments, lambda: rows_of_sqlite(path), requests)
                else:
                    database = "global_client" if arguments else "client_each"
                    subprocess.run(["psql", f"{postgres}/postgres", "-qc", f"CREATE DATABASE {database}"], check=True)
                    url = f"{postgres}/{database}"
                    figures = measure(notes, {"DATABASE_URL": url}, arguments, lambda: rows_of_postgres(url), requests)
            print(f"| {name} | {client} | " + " | ".join(f"{figure:,}" for figure in figures) + " |", flush=True)
            if any(figures[1:]) != bool(arguments):
                sys.exit(f"error: {name}, {client}: this is not what the comparison is to show")


main()
