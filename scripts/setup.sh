#!/bin/sh
# Sets up what the project's own commands need: Debian packages (where they are missing and this user may
# install them), and a virtual environment with the pinned Python packages.
#   WANT=run    what the engine itself needs, with the weakest sandbox tier that runs commands
#   WANT=tests  also what the tests run against
set -eu
VENV=${VENV:-.venv}
PYTHON=${PYTHON:-python3}
WANT=${WANT:-tests}

missing=""
need() { # need PROGRAM PACKAGE
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing="$missing $2"
}
need git git
need crun crun
if [ "$WANT" = tests ]; then
    # A second OCI runtime, gVisor, virtual machines with a kernel for them, and a compiler for the library
    # that injects disk faults.
    need runc runc
    need runsc runsc
    # Images: a registry to fetch from, what fetches them, and what builds them from Debian packages.
    need skopeo skopeo
    need docker-registry docker-registry
    need mmdebstrap mmdebstrap
    need qemu-system-x86_64 qemu-system-x86
    need sqfstar squashfs-tools
    need zstd zstd
    ls /lib/modules/*-cloud-amd64/modules.dep >/dev/null 2>&1 || missing="$missing linux-image-cloud-amd64"
    need cc "gcc libc6-dev"
    # A client of the proxy, in the sandbox.
    need curl curl
    need pgrep procps
    # TypeScript's own server, the second opinion on a rename.
    need node nodejs
    need npm npm
    # The same for Go.
    need gopls gopls
    need go golang-go
fi
"$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
# The container image `host` offers the host's /usr: tests of Python projects need a Python there.
[ -x /usr/bin/python3 ] || missing="$missing python3"

if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "missing:$missing; install them with this system's package manager" >&2
        exit 3
    fi
    if [ "$(id -u)" = 0 ]; then SUDO=""; elif command -v sudo >/dev/null 2>&1; then SUDO="sudo"; else
        echo "missing:$missing; run as root: apt-get install$missing" >&2
        exit 3
    fi
    echo "installing:$missing"
    $SUDO apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $SUDO apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

[ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check "uv>=0.9"
"$VENV/bin/uv" pip install --quiet --python "$VENV/bin/python" -c constraints.txt --group dev -e ".[wasm,mcp,attest,servers]"
if [ "$WANT" = tests ] && [ ! -x "$VENV/node/node_modules/.bin/tsc" ]; then
    npm install --silent --no-audit --no-fund --prefix "$VENV/node" typescript@7.0.2 >/dev/null
fi
if [ "$WANT" = tests ] && [ "$(uname -m)" = x86_64 ]; then
    "$VENV/bin/python" scripts/fetch_firecracker.py
fi
if [ "$WANT" = tests ]; then
    # The frameworks that we lend to, with their suites, apart from our own packages.
    [ -x "$VENV/peers/bin/python" ] || "$PYTHON" -m venv "$VENV/peers"
    "$VENV/bin/uv" pip install --quiet --python "$VENV/peers/bin/python" -c constraints-peers.txt --group peers -e .
fi
