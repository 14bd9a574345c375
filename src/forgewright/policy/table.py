"""Tests of policies as tables in TOML: given an attempt, expect a verdict.

    [[case]]
    name = "tests run in a container"
    given = { principal = "tester", action = "exec", resource = "tests" }
    expect = { permit = true, tier = "container", by = ["checks"] }

What a case does not expect is not looked at, except that `permit` is required.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from forgewright.core.errors import ConfigError, NotFound
from forgewright.core.limits import CONFIG_BYTES_MAX
from forgewright.policy.explain import Explanation, explain
from forgewright.policy.gate import CedarGate
from forgewright.policy.types import Action, Attempt, Fact


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    principal: str
    action: Action
    resource: str
    facts: Mapping[str, bool | int | str | tuple[str, ...]] = {}


class Expect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    permit: bool
    tier: str | None = None
    """The exact tier; `""`: none is obliged."""
    approval: str | None = None
    """The exact approvals, joined by commas; `""`: none."""
    by: tuple[str, ...] | None = None
    """Policies that have to be among the determining ones; `[]`: none determined it."""
    redact: tuple[str, ...] | None = None
    limits: Mapping[str, int] | None = None


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    given: Given
    expect: Expect


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    case: tuple[Case, ...]


class CaseResult(msgspec.Struct, frozen=True):
    file: str
    name: str
    mistakes: tuple[str, ...]
    """What differs; empty if the case passes."""
    explanation: Explanation | None = None
    """Of a case that fails."""


def read_cases(path: Path) -> tuple[Case, ...]:
    """The cases of a file. Raises `ConfigError`, `NotFound`."""
    import tomllib

    try:
        data = path.read_bytes()
        if len(data) > CONFIG_BYTES_MAX:
            raise ConfigError(f"expected a table of at most {CONFIG_BYTES_MAX:,} bytes; {path} is larger")
        return msgspec.convert(tomllib.loads(data.decode()), _File).case
    except OSError as error:
        raise NotFound(f"the table {path} can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(
            f"{path}: {error}",
            hint='a case looks like: [[case]] name = "…" given = {principal = "coder", action = "edit", '
            'resource = "a.py"} expect = {permit = true}',
        ) from error


def run_cases(gate: CedarGate, file: str, cases: Sequence[Case]) -> list[CaseResult]:
    """Each case's result."""
    return [_run(gate, file, case) for case in cases]


def _run(gate: CedarGate, file: str, case: Case) -> CaseResult:
    given, expect = case.given, case.expect
    facts: dict[str, Fact] = dict(given.facts)
    attempt = Attempt(given.principal, given.action, given.resource, facts)
    verdict = gate.decide(attempt)
    mistakes = []
    if verdict.permit is not expect.permit:
        mistakes.append(f"expected {_word(expect.permit)}; found {_word(verdict.permit)}: {verdict.reason}")
    for name, wanted, found in (
        ("tier", expect.tier, verdict.tier or ""),
        ("approval", expect.approval, verdict.approval or ""),
        ("redact", expect.redact, verdict.redact),
        ("limits", expect.limits, dict(verdict.limits)),
    ):
        if wanted is not None and wanted != found:
            mistakes.append(f"expected {name} {wanted!r}; found {found!r}")
    if expect.by is not None and not set(expect.by) <= set(verdict.policies):
        mistakes.append(
            f"expected it to be decided by {', '.join(expect.by)}; found {', '.join(verdict.policies)}"
        )
    if expect.by == () and verdict.policies:
        mistakes.append(f"expected no policy to decide it; found {', '.join(verdict.policies)}")
    return CaseResult(file, case.name, tuple(mistakes), explain(gate, attempt) if mistakes else None)


def _word(permit: bool) -> str:
    return "permitted" if permit else "denied"
