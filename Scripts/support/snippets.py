"""Makes a package of the Swift blocks of the README and the guides, word for word, in the folder given.

Tests/Snippets is that package without the blocks. A line of its files names the block that comes in its place: its page, the
heading above it, and its number if there are several under that heading.

    // snippet UsingInAnApplication.md: Parts of a request (2)

Every block of every page has one place. What the compiler says of a block has the page's name and line.
"""

import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
surroundings = root / "Tests" / "Snippets"
pages = [root / "README.md", *sorted((root / "Sources/PerRequest/PerRequest.docc").glob("*.md"))]
place = re.compile(r" *// snippet (\S+\.md): (.+?)(?: \((\d+)\))?")

# The package as its users get it, but from here, and with the traits that the guides need.
dependency = re.compile(r'\.package\(url: "<this repository>", from: "[0-9.]+", traits: \["Hummingbird"\]\)')
here = f'.package(name: "swift-per-request", path: "{root}", traits: ["Hummingbird", "GRPC", "FlyingFox", "ServiceLifecycle", "Inspector", "Tracing"])'


def blocks_of(page):
    """The blocks of a page: by heading and number, where each begins and its lines."""
    blocks, heading, counts, block = {}, "", {}, None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if block is not None and line == "```":
            block = None
        elif block is not None:
            block.append(line)
        elif line.startswith("```swift"):
            if line != "```swift":
                sys.exit(f"{page.relative_to(root)}:{number}: error: a block of Swift has to begin with ```swift alone")
            counts[heading] = counts.get(heading, 0) + 1
            block = []
            blocks[(page.name, heading, counts[heading])] = (page, number + 1, block)
        elif line.startswith("```"):
            block = []
        elif line.startswith("#"):
            heading = line.lstrip("# ").replace("``", "")
    return blocks


def filled(path, blocks, used):
    """The text of a file with the blocks in their places."""
    result = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        found = place.fullmatch(line)
        if not found:
            result.append(line)
            continue
        key = (found[1], found[2], int(found[3] or 1))
        if key not in blocks or key in used:
            sys.exit(f"{path.relative_to(root)}:{number}: error: {'taken twice' if key in used else 'no such block'}: {line.strip()}")
        used.add(key)
        page, start, block = blocks[key]
        # The version of the tools is the first line of a manifest.
        first = 1 if block[0].startswith("// swift-tools-version") else 0
        location = f'#sourceLocation(file: "{page.relative_to(root)}", line: {start + first})'
        result += [*block[:first], location, *block[first:], "#sourceLocation()"]
    return dependency.sub(here, "\n".join(result)) + "\n"


def write(path, text):
    """Leaves a file alone that has the text already, so that nothing is compiled again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


package = pathlib.Path(sys.argv[1])
blocks = {key: block for page in pages for key, block in blocks_of(page).items()}
used, files = set(), set()
for path in sorted(surroundings.rglob("*.swift")):
    target = package / path.relative_to(surroundings)
    write(target, filled(path, blocks, used))
    files.add(target)
for path in [*surroundings.rglob("*.modulemap"), *surroundings.rglob("*.h")]:
    write(package / path.relative_to(surroundings), path.read_text(encoding="utf-8"))
for stale in set(package.rglob("*.swift")) - files:
    stale.unlink()
for (name, heading, number), (page, start, _) in blocks.items():
    if (name, heading, number) not in used:
        count = f" ({number})" if number > 1 else ""
        sys.exit(f"{page.relative_to(root)}:{start}: error: Tests/Snippets has no line '// snippet {name}: {heading}{count}'")
readme = pages[0].read_text(encoding="utf-8").splitlines()
if len(readme) > 150:
    sys.exit(f"README.md:151: error: the README has {len(readme)} lines; 150 are enough")
for number, line in enumerate(readme, start=1):
    if len(line) > 125:
        sys.exit(f"README.md:{number}: error: the line has {len(line)} columns; 125 are enough")
print(f"{len(blocks)} blocks of {len({page for page, _, _ in blocks.values()})} pages")
