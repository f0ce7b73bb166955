# What the scripts share. To be sourced.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

say() { printf '\n\033[1m== %s\033[0m\n' "$*" >&2; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

need_swift() {
    command -v swift >/dev/null 2>&1 || fail "Swift 6.2 or later is needed and no 'swift' is on the PATH: https://www.swift.org/install"
}

# need_package TEST PACKAGE…: installs Debian packages where the command TEST fails, or says which ones are missing.
need_package() {
    local test=$1
    shift
    if eval "$test" >/dev/null 2>&1; then return; fi
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "Installing $*"
        DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >&2 || fail "apt-get could not install $*"
        return
    fi
    fail "missing: $*. Install with: sudo apt-get install $*"
}

need_libpq() {
    need_package "pkg-config --exists libpq || test -e /usr/include/postgresql/libpq-fe.h" libpq-dev pkg-config
}

need_sqlite() {
    need_package "pkg-config --exists sqlite3 || test -e /usr/include/sqlite3.h" libsqlite3-dev
}

# What the HTTP/2 transport of gRPC links, and the client of Hummingbird's tests.
need_zlib() {
    need_package "test -e /usr/include/zlib.h" zlib1g-dev
}

# What the tests of the inspector's page drive, and the screenshots are made with.
need_chromium() {
    need_package "command -v chromium && command -v chromedriver" chromium chromium-driver
}

# Builds the package and its tests with all traits. SwiftPM gives the compiler the traits in the order of a set: where that
# is a random one, each build compiles everything anew.
build_all_traits() {
    SWIFT_DETERMINISTIC_HASHING=1 swift build --build-tests --scratch-path .build-traits --enable-all-traits "$@"
}
