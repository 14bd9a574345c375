"""Reads what `go test -json`, `go test` and `cargo test` print."""

from __future__ import annotations

import re

import msgspec

from forgewright.swarm.testing.report import (
    FAILURES_MAX,
    MESSAGE_CHARS_MAX,
    Counts,
    TestFailure,
    clip,
    relative,
)

_GO_PLACE = re.compile(r"^\s*(?:\./)?([\w./-]+\.go):(\d+)(?::\d+)?: (.*)$", re.MULTILINE)
_GO_LINE = re.compile(r"^\s*--- (PASS|FAIL|SKIP): (\S+) \(", re.MULTILINE)
_CARGO_END = re.compile(
    r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored; \d+ measured; \d+ filtered out",
    re.MULTILINE,
)
_CARGO_BLOCK = re.compile(r"^---- (.+) stdout ----$", re.MULTILINE)
_CARGO_PANIC = re.compile(
    r"panicked at (?:'(.{0,300}?)', )?([^\s:,]+\.rs):(\d+)(?::\d+)?:?\n?(.*)$", re.MULTILINE
)
_RUSTC_ERROR = re.compile(r"^error(?:\[E\d+\])?: (.+)\n(?: +--> ([^:\n]+):(\d+):\d+)?", re.MULTILINE)


class _GoEvent(msgspec.Struct):
    Action: str
    Package: str = ""
    Test: str = ""
    Output: str = ""
    ImportPath: str = ""


def go(text: str, root: str) -> Counts | None:
    """`go test -json`; also the text of plain `go test`."""
    decoder = msgspec.json.Decoder(_GoEvent)
    results: dict[tuple[str, str], str] = {}
    output: dict[tuple[str, str], list[str]] = {}
    plain: list[str] = []
    for line in text.split("\n"):
        try:
            event = decoder.decode(line) if line.startswith("{") else None
        except msgspec.DecodeError:
            event = None
        if event is None:
            plain.append(line)
            continue
        key = (event.Package or event.ImportPath.partition(" ")[0], event.Test)
        if event.Action in ("output", "build-output"):
            output.setdefault(key, []).append(event.Output)
        elif event.Action in ("pass", "fail", "skip"):
            results[key] = event.Action
    if not results:
        return _go_text(text, root)
    parents = {(package, name.rpartition("/")[0]) for package, name in results if "/" in name}
    counts = {"pass": 0, "fail": 0, "skip": 0}
    failures = []
    for (package, name), action in results.items():
        if not name or (package, name) in parents:
            continue
        counts[action] += 1
        if action == "fail":
            failures.append(_go_failure(f"{package}.{name}", "".join(output.get((package, name), [])), root))
    with_failed_test = {package for (package, name), action in results.items() if name and action == "fail"}
    errors = 0
    for (package, name), action in results.items():
        if not name and action == "fail" and package not in with_failed_test:
            errors += 1
            body = "".join(output.get((package, ""), [])) + "\n" + "\n".join(plain)
            failures.append(_go_failure(package, body, root))
    return Counts(
        "go", counts["pass"], counts["fail"], errors, counts["skip"], tuple(failures[:FAILURES_MAX])
    )


def _go_failure(name: str, body: str, root: str) -> TestFailure:
    body = re.sub(r"^=== (RUN|PAUSE|CONT|NAME).*\n", "", body, flags=re.MULTILINE)
    place = _GO_PLACE.search(body)
    panic = re.search(r"^panic: (.*)$", body, re.MULTILINE)
    if panic and not place:
        at = re.search(r"^\s+(\S+_test\.go|\S+\.go):(\d+)", body, re.MULTILINE)
        file, line = (relative(at[1], root), int(at[2])) if at else ("", 0)
        return TestFailure(name, file, line, panic[0][:MESSAGE_CHARS_MAX], clip(body))
    if place is None:
        return TestFailure(name, message=body.strip().split("\n")[0][:MESSAGE_CHARS_MAX], excerpt=clip(body))
    return TestFailure(
        name, relative(place[1], root), int(place[2]), place[3][:MESSAGE_CHARS_MAX], clip(body)
    )


def _go_text(text: str, root: str) -> Counts | None:
    if not re.search(
        r"^(ok|FAIL|---|\?) {1,4}\t?\S+|^(ok|FAIL|\?)\s+\S+\s+(\(cached\)|[\d.]+s|\[)", text, re.MULTILINE
    ):
        return None
    lines = list(_GO_LINE.finditer(text))
    packages = len(re.findall(r"^ok\s+\S+\s", text, re.MULTILINE))
    failed = [line for line in lines if line[1] == "FAIL"]
    build = re.findall(r"^FAIL\s+(\S+) \[(?:build|setup) failed\]", text, re.MULTILINE)
    failures = []
    for i, line in enumerate(lines):
        if line[1] == "FAIL":
            end = lines[i + 1].start() if i + 1 < len(lines) else len(text)
            failures.append(_go_failure(line[2], text[line.end() : end], root))
    failures += [_go_failure(name, text, root) for name in build]
    passed = sum(line[1] == "PASS" for line in lines) or packages
    skipped = sum(line[1] == "SKIP" for line in lines)
    return Counts("go", passed, len(failed), len(build), skipped, tuple(failures[:FAILURES_MAX]))


def cargo(text: str, root: str) -> Counts | None:
    """None where `text` isn't cargo's."""
    ends = _CARGO_END.findall(text)
    if not ends:
        if "error: could not compile" not in text:
            return None
        failures = tuple(
            TestFailure("build", relative(file, root), int(line or 0), said[:MESSAGE_CHARS_MAX], "")
            for said, file, line in _RUSTC_ERROR.findall(text)
            if not said.startswith(("could not compile", "aborting"))
        )
        return Counts("cargo", errors=max(1, len(failures)), failures=failures[:FAILURES_MAX])
    passed, failed, ignored = (sum(int(end[i]) for end in ends) for i in range(3))
    heads = list(_CARGO_BLOCK.finditer(text))
    failures_found = []
    for i, head in enumerate(heads):
        end = heads[i + 1].start() if i + 1 < len(heads) else len(text)
        body = re.split(r"^failures:$|^test result:", text[head.end() : end], flags=re.MULTILINE)[0]
        panic = _CARGO_PANIC.search(body)
        file, line = (relative(panic[2], root), int(panic[3])) if panic else ("", 0)
        message = ((panic[1] or panic[4]) if panic else body.strip().split("\n")[0])[:MESSAGE_CHARS_MAX]
        failures_found.append(TestFailure(head[1], file, line, message, clip(body)))
    return Counts("cargo", passed, failed, 0, ignored, tuple(failures_found[:FAILURES_MAX]))
