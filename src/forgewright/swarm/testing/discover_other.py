"""How the tests of projects in JavaScript, Go and Rust, and of those with a makefile, are run."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from forgewright.sandbox.types import Mount
from forgewright.swarm.testing.files import read
from forgewright.swarm.testing.plan import ROOT, TestPlan

_TMP = "/tmp"  # noqa: S108 - inside the sandbox, where it is private
NODE_VARIABLES = {"NODE_OPTIONS": "--test-reporter=tap", "CI": "true", "NO_COLOR": "1"}


def javascript(root: Path, source: Path) -> TestPlan | None:
    try:
        package = json.loads(read(root / "package.json") or "{}")
        script = str(package.get("scripts", {}).get("test", "")) if isinstance(package, dict) else ""
    except (ValueError, AttributeError):
        return None
    if not script or "no test specified" in script:
        return None
    framework = next(
        (name for name in ("vitest", "jest", "mocha") if re.search(rf"\b{name}\b", script)), "npm"
    )
    if re.search(r"\bnode\b.*--test\b", script):
        framework = "node"
    modules = node_modules(source)
    wants = {**package.get("dependencies", {}), **package.get("devDependencies", {})}
    hint = "node_modules is missing: npm install" if wants and not modules else ""
    environment = {"CI": "true", "NO_COLOR": "1", "npm_config_update_notifier": "false"}
    if framework == "node":
        environment |= NODE_VARIABLES
    return TestPlan(
        argv=("npm", "test", "--silent"),
        framework=framework,
        why=f"package.json, scripts.test: {script[:80]}",
        environment=environment,
        mounts=modules,
        hint=hint,
    )


def node_modules(source: Path) -> tuple[Mount, ...]:
    folder = source / "node_modules"
    return (Mount(str(folder.resolve()), f"{ROOT}/node_modules", "cow"),) if folder.is_dir() else ()


def go(root: Path) -> TestPlan | None:
    if not (root / "go.mod").is_file():
        return None
    cache = Path(os.environ.get("GOMODCACHE") or Path.home() / "go" / "pkg" / "mod")
    mounts = (Mount(str(cache), f"{_TMP}/go/pkg/mod", "ro"),) if cache.is_dir() else ()
    return TestPlan(
        argv=("go", "test", "-json", "./..."),
        framework="go",
        why="go.mod",
        mounts=mounts,
        environment={
            "GOFLAGS": "-mod=readonly",
            "GOPROXY": "off",
            "GOPATH": f"{_TMP}/go",
            "GOCACHE": f"{_TMP}/go-cache",
        },
    )


def cargo(root: Path) -> TestPlan | None:
    if not (root / "Cargo.toml").is_file():
        return None
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    toolchains = Path(os.environ.get("RUSTUP_HOME") or Path.home() / ".rustup") / "toolchains"
    mounts = [
        Mount(str(home / name), f"{_TMP}/cargo/{name}", "cow")
        for name in ("registry", "git")  # not the whole folder: credentials lie there too
        if (home / name).is_dir()
    ]
    path = "/usr/local/bin:/usr/bin:/bin"
    chosen = (
        sorted(toolchains.glob("*/bin/cargo"), key=lambda at: "stable" not in str(at))
        if toolchains.is_dir()
        else []
    )
    if chosen:
        toolchain = chosen[0].parent.parent
        mounts.append(Mount(str(toolchain), str(toolchain), "ro"))
        path = f"{toolchain}/bin:{path}"
    return TestPlan(
        argv=("cargo", "test", "--offline", "--no-fail-fast", "--color=never"),
        framework="cargo",
        why="Cargo.toml",
        mounts=tuple(mounts),
        environment={"CARGO_HOME": f"{_TMP}/cargo", "CARGO_TARGET_DIR": f"{_TMP}/target", "PATH": path},
    )


def make(root: Path) -> TestPlan | None:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        text = read(root / name)
        target = re.search(r"^(test|tests|check)\s*:(?!=)", text, re.MULTILINE)
        if target is not None:
            return TestPlan(argv=("make", target[1]), framework="make", why=f"{name}, target {target[1]}")
    return None
