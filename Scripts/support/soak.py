"""The load of Scripts/soak, and its JSON line."""

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time
from collections import Counter

WORKERS = 24
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
NOTE = '{"title":"soak","body":"words to find"}'

# Method, path, content type, body, the statuses that are right.
ROUTES = [
    ("GET", "/", None, "", {200}),
    ("HEAD", "/", None, "", {200}),
    ("GET", "/whoami", None, "", {200}),
    ("GET", "/health", None, "", {200}),
    ("GET", "/api/notes", None, "", {200}),
    ("GET", "/api/notes?q=words", None, "", {200}),
    ("GET", "/api/notes/999999999", None, "", {404}),
    ("GET", "/callback/notes", None, "", {200}),
    ("GET", "/nowhere", None, "", {404}),
    ("POST", "/api/notes", JSON, NOTE, {201}),
    ("POST", "/api/notes", JSON, "{", {400}),
    ("POST", "/api/notes?fail=handler", JSON, NOTE, {500}),
    ("POST", "/api/notes?fail=conflict", JSON, NOTE, {409}),
    ("POST", "/api/notes?fail=commit", JSON, NOTE, {500}),
    ("POST", "/notes", FORM, "title=", {422}),
    ("POST", "/notes", "text/plain", "x", {415}),
]

# It watches its connection for the client's leaving, and so has it for itself: nothing is sent after it.
EVENTS = ("GET", "/events?count=3&interval=1", None, "", {200})


class Broken(Exception):
    """The server ended a connection in the middle of a response."""


class Client:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @staticmethod
    async def connect(port):
        return Client(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, route, tenant):
        method, path, kind, body, _ = route
        lines = [f"{method} {path} HTTP/1.1", "Host: soak", f"X-Tenant: {tenant}"]
        if kind:
            lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    async def head(self):
        try:
            text = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            raise Broken from error
        lines = text.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        try:
            return int(lines[0].split()[1]), headers
        except (IndexError, ValueError) as error:
            raise Broken(f"no status line: {text!r}") from error

    async def response(self, method):
        status, headers = await self.head()
        if method == "HEAD" or status == 204:
            return status, headers
        try:
            if "content-length" in headers:
                await self.reader.readexactly(int(headers["content-length"]))
            elif headers.get("transfer-encoding") == "chunked":
                while size := int(await self.reader.readuntil(b"\r\n"), 16):
                    await self.reader.readexactly(size + 2)
                await self.reader.readexactly(2)
        except (asyncio.IncompleteReadError, ValueError) as error:
            raise Broken from error
        return status, headers

    def close(self):
        self.writer.close()

    def reset(self):
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Soak:
    def __init__(self, port, pid, requests, seconds):
        self.port, self.pid, self.requests = port, pid, requests
        self.deadline = time.monotonic() + seconds
        self.sent = 0
        self.errors = Counter()
        self.memory_at_tenth = None

    def note_sent(self):
        self.sent += 1
        if self.memory_at_tenth is None and self.sent >= self.requests / 10:
            self.memory_at_tenth = self.memory()

    def memory(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    async def run(self):
        await asyncio.gather(*(self.work(random.Random(number)) for number in range(WORKERS)))

    async def work(self, choice):
        behaviours = [
            self.keep_alive, self.keep_alive, self.keep_alive, self.make_and_delete, self.events, self.pipeline, self.leave_early,
            self.leave_at_once, self.half_close, self.flood, self.no_http,
        ]
        while self.sent < self.requests and time.monotonic() < self.deadline:
            behaviour = choice.choice(behaviours)
            try:
                await asyncio.wait_for(behaviour(choice), 60)
            except Broken as error:
                self.errors[f"broken off: {behaviour.__name__} {error}".strip()] += 1
            except asyncio.TimeoutError:
                self.errors[f"no answer: {behaviour.__name__}"] += 1
            except OSError as error:
                self.errors[f"{type(error).__name__}: {behaviour.__name__}"] += 1

    def tenant(self, choice):
        return f"tenant-{choice.randrange(2000)}"

    def check(self, route, status):
        if status not in route[4]:
            self.errors[f"{route[0]} {route[1]}: {status}"] += 1

    async def keep_alive(self, choice):
        client = await Client.connect(self.port)
        for _ in range(20):
            route = choice.choice(ROUTES)
            # What was made would slow down the lists of a long run.
            if route[4] == {201}:
                continue
            client.send(route, self.tenant(choice))
            self.note_sent()
            status, _ = await client.response(route[0])
            self.check(route, status)
        client.close()

    async def make_and_delete(self, choice):
        client = await Client.connect(self.port)
        tenant = self.tenant(choice)
        route = next(route for route in ROUTES if route[4] == {201})
        for _ in range(5):
            client.send(route, tenant)
            self.note_sent()
            status, headers = await client.response("POST")
            self.check(route, status)
            if status == 201:
                delete = ("DELETE", headers["location"], None, "", {204})
                client.send(delete, tenant)
                self.note_sent()
                self.check(("DELETE", "/api/notes/…", None, "", {204}), (await client.response("DELETE"))[0])
        client.close()

    async def events(self, choice):
        client = await Client.connect(self.port)
        client.send(EVENTS, self.tenant(choice))
        self.note_sent()
        self.check(EVENTS, (await client.response("GET"))[0])
        client.close()

    async def pipeline(self, choice):
        client = await Client.connect(self.port)
        routes = [choice.choice(ROUTES[:9]) for _ in range(8)]
        for route in routes:
            client.send(route, self.tenant(choice))
            self.note_sent()
        for route in routes:
            self.check(route, (await client.response(route[0]))[0])
        client.close()

    async def leave_early(self, choice):
        client = await Client.connect(self.port)
        client.send(choice.choice([ROUTES[0], ("GET", "/events?count=1000&interval=1000", None, "", {200})]), self.tenant(choice))
        self.note_sent()
        await client.head()
        choice.choice([client.close, client.reset])()

    async def leave_at_once(self, choice):
        client = await Client.connect(self.port)
        client.send(choice.choice(ROUTES[:9]), self.tenant(choice))
        self.note_sent()
        await client.writer.drain()
        choice.choice([client.close, client.reset])()

    async def half_close(self, choice):
        client = await Client.connect(self.port)
        route = choice.choice(ROUTES[:8])
        client.send(route, self.tenant(choice))
        self.note_sent()
        client.writer.write_eof()
        self.check(route, (await client.response(route[0]))[0])
        client.close()

    async def flood(self, choice):
        async def one():
            client = await Client.connect(self.port)
            route = choice.choice(ROUTES[:8])
            client.send(route, self.tenant(choice))
            self.note_sent()
            self.check(route, (await client.response(route[0]))[0])
            client.close()

        await asyncio.gather(*(one() for _ in range(40)))

    async def no_http(self, choice):
        client = await Client.connect(self.port)
        client.writer.write(choice.choice([b"\x16\x03\x01\x00\x00\r\n\r\n", b"GET\r\n\r\n", b"\r\n" * 100, b"GET / HTTP/1.1\r\nX"]))
        await client.writer.drain()
        client.close()

    async def quiet_health(self):
        deadline = time.monotonic() + 30
        while True:
            client = await Client.connect(self.port)
            client.send(ROUTES[3], "soak")
            _, headers = await client.head()
            health = json.loads(await client.reader.readexactly(int(headers["content-length"])))
            client.close()
            jobs = sum(health["jobs"].values())
            is_quiet = health["requests"]["open"] == 1 and health["resources"]["held"] == 0 and jobs == 0
            if is_quiet or time.monotonic() > deadline:
                return health
            await asyncio.sleep(0.05)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("notes")
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=3600)
    arguments = parser.parse_args()
    environment = {name: value for name, value in os.environ.items() if name not in ("NOTES_DATABASE", "DATABASE_URL")}
    service = subprocess.Popen(
        [arguments.notes],
        env={**environment, "PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        port = int(service.stdout.readline().rsplit(":", 1)[1])
        soak = Soak(port, service.pid, arguments.requests, arguments.seconds)
        started = time.monotonic()
        asyncio.run(soak.run())
        seconds = time.monotonic() - started
        health = asyncio.run(soak.quiet_health())
        line = {
            "requests": soak.sent,
            "seconds": round(seconds, 1),
            "errors": dict(soak.errors),
            "opened": health["requests"]["opened"],
            # The request that asks is open.
            "closed": health["requests"]["opened"] - health["requests"]["open"],
            "acquired": health["resources"]["acquired"],
            "released": health["resources"]["released"],
            "held": health["resources"]["held"],
            "memory_at_10_percent": soak.memory_at_tenth,
            "memory_at_end": soak.memory(),
            "file_descriptors": soak.descriptors(),
        }
    finally:
        service.send_signal(signal.SIGTERM)
        try:
            status = service.wait(60)
        except subprocess.TimeoutExpired:
            service.kill()
            status = service.wait()
    line["exit_status"] = status
    print(json.dumps(line))
    is_whole = line["held"] == 0 and line["acquired"] == line["released"] and line["opened"] == line["closed"] + 1
    sys.exit(0 if is_whole and not line["errors"] and status == 0 else 1)


main()
