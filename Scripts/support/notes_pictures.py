"""Takes pictures of the page of Examples/Notes: notes_pictures.py NOTES FOLDER, where NOTES is its executable."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

NOTES = [
    ("Jobs", "Indexing runs after the response, in a store of its own."),
    ("Markup is only text", "<script>alert(1)</script>"),
    ("Bread", "Flour, water, salt, time."),
    ("Rollback", "A handler that throws takes its note back, also where a middleware makes a nice 409 of the error."),
    ("Why no parameter?", "The tenant, the connection and the transaction belong to the request. Functions ask it for them."),
    ("Pool size", "8 connections for 32 clients. The ninth waits, and the inspector says for whom."),
    ("Ship 1.0", "Tag it when the soak has run for a night.\nThen tell everybody."),
]
PICTURES = [
    ("notes-light", "/?tenant=acme", "1280,720", "light"),
    ("notes-dark", "/?tenant=acme", "1280,720", "dark"),
    ("notes-narrow", "/?tenant=acme", "390,844", "light"),
    ("notes-empty", "/?tenant=nobody", "1280,720", "light"),
    ("notes-search", "/?tenant=acme&q=request", "1280,720", "dark"),
]


def add(url, title, body):
    note = json.dumps({"title": title, "body": body}).encode()
    headers = {"Content-Type": "application/json", "X-Tenant": "acme"}
    urllib.request.urlopen(urllib.request.Request(f"{url}/api/notes", note, headers), timeout=30).read()


def wait_until_indexed(url):
    """Until all work after the responses is done, by which notes are found."""
    while any(json.load(urllib.request.urlopen(f"{url}/health", timeout=30))["jobs"].values()):
        pass


def take(url, size, scheme, file):
    with tempfile.TemporaryDirectory() as profile:
        # The sandbox does not start for root.
        root = ["--no-sandbox"] if os.getuid() == 0 else []
        settings = f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}"
        subprocess.run(
            ["chromium", "--headless=new", *root, "--hide-scrollbars", f"--user-data-dir={profile}", settings,
             f"--window-size={size}", f"--screenshot={file}", url],
            check=True, timeout=120, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )


def main(executable, folder):
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("DATABASE_URL", "NOTES_DATABASE", "NOTES_MIRROR", "GRPC_PORT")}
    with subprocess.Popen([executable], env=environment | {"PORT": "0"}, stdout=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline()
            listening = re.fullmatch(r"listening on (http://\S+)\n", line) or sys.exit(f"Notes said {line!r}")
            for title, body in NOTES:
                add(listening[1], title, body)
            wait_until_indexed(listening[1])
            for name, path, size, scheme in PICTURES:
                take(listening[1] + path, size, scheme, pathlib.Path(folder).resolve() / f"{name}.png")
        finally:
            server.terminate()


main(*sys.argv[1:])
