"""The public API of each product, as the compiler knows it: one line a declaration, one file a product.

Called by Scripts/api, with the folder that was built, and `--update` to write the files instead of comparing them.
"""

import collections
import difflib
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SCRATCH = ROOT / ".build-traits"
FOLDER = ROOT / "API"
# What every type conforms to by itself.
IMPLIED = {"Copyable", "Escapable", "SendableMetatype"}
TYPES = {"swift.actor", "swift.class", "swift.enum", "swift.protocol", "swift.struct", "swift.typealias"}


def output(*command):
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def products():
    """The products, each a target of the same name."""
    manifest = output("swift", "package", "--scratch-path", SCRATCH, "dump-package")
    return sorted(product["name"] for product in manifest["products"])


def extract(product, built, folder):
    """The symbol graphs of a product: its own, and those of the modules it extends, by their names."""
    # The C modules that the dependencies import.
    maps = [*built.glob("*.build/module.modulemap"), *SCRATCH.glob("checkouts/**/include/module.modulemap")]
    clang = [f"-fmodule-map-file={path}" for path in maps] + [f"-I{path.parent}" for path in maps]
    triple = output("swift", "-print-target-info")["target"]["unversionedTriple"]
    subprocess.run(
        ["swift", "symbolgraph-extract", "-module-name", product, "-target", triple, "-I", built / "Modules",
         "-minimum-access-level", "public", "-skip-synthesized-members", "-emit-extension-block-symbols",
         "-output-dir", folder, *(part for option in clang for part in ("-Xcc", option))],
        check=True,
    )
    return {
        path.name.removesuffix(".symbols.json").partition("@")[2]: json.loads(path.read_text())
        for path in [folder / f"{product}.symbols.json", *sorted(folder.glob(f"{product}@*.symbols.json"))]
    }


def availability(symbol):
    return "".join(
        f"@available(*, {state.lower()}) "
        for item in symbol.get("availability", [])
        for state in ("Deprecated", "Unavailable")
        if item.get(f"isUnconditionally{state}")
    )


def constraints(symbol, part):
    signs = {"conformance": ":", "superclass": ":", "sameType": "=="}
    return [f"{c['lhs']} {signs[c['kind']]} {c['rhs']}" for c in symbol.get(part, {}).get("constraints", [])]


def declaration(symbol, implied):
    """A declaration, with the constraints of the extension that it is in, but for those that its type has anyway."""
    text = " ".join("".join(fragment["spelling"] for fragment in symbol["declarationFragments"]).split())
    added = [c for c in constraints(symbol, "swiftExtension") if c not in text and c not in implied]
    if added:
        text += (", " if " where " in text else " where ") + ", ".join(added)
    return availability(symbol) + text


def lines(graph, extended, names):
    """A line for each declaration and conformance: the type it belongs to, or its own name, a colon, and what it is."""
    places = {}
    types = {tuple(s["pathComponents"]): s for s in graph["symbols"] if s["kind"]["identifier"] in TYPES}
    for symbol in graph["symbols"]:
        kind, path = symbol["kind"]["identifier"], symbol["pathComponents"]
        is_own = kind in TYPES or kind == "swift.extension" or len(path) == 1
        # A function's labels are in its declaration.
        place = ".".join([extended] * bool(extended) + (path if is_own else path[:-1])).partition("(")[0]
        places[symbol["identifier"]["precise"]] = place
        if kind != "swift.extension":
            implied = constraints(types.get(tuple(path[:-1]), {}), "swiftGenerics")
            yield f"{place}: {declaration(symbol, implied)}"
    for relationship in graph["relationships"]:
        place, target = places.get(relationship["source"]), relationship["target"]
        name = names.get(target) or relationship.get("targetFallback", target).removeprefix("Swift.")
        if relationship["kind"] == "conformsTo" and place and name not in IMPLIED:
            yield f"{place}: conforms to {name}"


def main(built, mode):
    with tempfile.TemporaryDirectory() as folder:
        graphs = {product: extract(product, built, pathlib.Path(folder)) for product in products()}
    symbols = {product: [s for graph in found.values() for s in graph["symbols"]] for product, found in graphs.items()}
    names = {s["identifier"]["precise"]: ".".join(s["pathComponents"]) for found in symbols.values() for s in found}
    texts = {}
    for product, found in graphs.items():
        api = {line for extended, graph in found.items() for line in lines(graph, extended, names)}
        texts[FOLDER / f"{product}.txt"] = "".join(f"{line}\n" for line in sorted(api))
        kinds = collections.Counter(symbol["kind"]["identifier"] for symbol in symbols[product])
        del kinds["swift.extension"]
        print(f"{product}: {sum(kinds[kind] for kind in TYPES)} types, {kinds.total()} declarations")
    stale = {path for path in FOLDER.glob("*.txt") if path not in texts}
    if mode == "--update":
        FOLDER.mkdir(exist_ok=True)
        for path, text in texts.items():
            path.write_text(text)
        for path in stale:
            path.unlink()
        return
    differences = []
    for path in sorted(texts.keys() | stale):
        old = path.read_text().splitlines() if path.exists() else []
        name = f"API/{path.name}"
        new = texts.get(path, "").splitlines()
        differences += difflib.unified_diff(old, new, name, name, "committed", "now", n=0, lineterm="")
    if differences:
        print(*differences, sep="\n", file=sys.stderr)
        sys.exit("error: the public API is not what is committed. If that is meant: Scripts/api --update")


main(pathlib.Path(sys.argv[1]), sys.argv[2])
