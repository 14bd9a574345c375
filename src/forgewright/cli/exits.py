"""One table from stable error codes to exit codes; `docs/cli.md` says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forgewright.core.errors import ForgewrightError

OK = 0
NOT_REACHED = 1
USAGE = 2
INTERNAL = 70
INTERRUPTED = 130
CLOSED_PIPE = 141

MEANING = {
    OK: "done",
    NOT_REACHED: "the command worked, and its answer is no: goal not reached, check or verification with findings",
    USAGE: "a wrong argument or configuration",
    3: "something this machine lacks: a program, a Python extra, git's help",
    4: "there is no such run, file or project",
    5: "the world moved: somebody else changed it first",
    6: "refused by a rule or a policy",
    7: "a record, proof or signature does not verify",
    8: "bytes could not be kept or read: disk full, folder not writable",
    9: "the model did not answer as it should",
    10: "a tool, a program of the language of code or a sandbox failed",
    11: "the run is parked: its budget is spent",
    12: "the run is parked: it waits for a person",
    13: "the run is parked: somebody stopped it",
    14: "the run can't go on: the agent repeats itself, or replay differs from the journal",
    INTERNAL: "a mistake in Forgewright itself; please report it",
    INTERRUPTED: "interrupted with Ctrl-C; a run is parked and can be resumed",
    CLOSED_PIPE: "the reader of the output went away",
}

EXITS = {
    "error": INTERNAL,
    "usage": USAGE,
    "config": USAGE,
    "unavailable": 3,
    "missing_program": 3,
    "missing_extra": 3,
    "git": 3,
    "not_found": 4,
    "conflict": 5,
    "lost_race": 5,
    "lease_lost": 5,
    "refused": 6,
    "policy_denied": 6,
    "edit_refused": 6,
    "unsafe_path": 6,
    "integrity": 7,
    "store": 8,
    "store_full": 8,
    "model": 9,
    "model_unknown": 9,
    "model_auth": 9,
    "model_rate_limited": 9,
    "model_overloaded": 9,
    "model_protocol": 9,
    "context_overflow": 9,
    "replay_exhausted": 9,
    "tool": 10,
    "tool_arguments": 10,
    "program": 10,
    "sandbox": 10,
    "run": 14,
    "budget_exhausted": 11,
    "parked": 12,
    "stopped": 13,
    "stuck": 14,
    "nondeterminism": 14,
}

_PARKED = {
    "budget": 11,
    "question": 12,
    "approval": 12,
    "unsafe": 12,
    "stopped": 13,
    "stuck": 14,
    "lease": 5,
    "interrupted": INTERRUPTED,
}


def exit_of(error: ForgewrightError) -> int:
    """The exit code of an error, by its code or that of its nearest base."""
    for cls in type(error).__mro__:
        code = getattr(cls, "code", None)
        if code in EXITS:
            return EXITS[code]
    return INTERNAL


def exit_of_parked(reason: str) -> int:
    """The exit code of a run that was parked for `reason`: `budget`, `model:model_auth`, `error:sandbox` …"""
    kind, _, code = reason.partition(":")
    return _PARKED.get(kind) or EXITS.get(code) or (9 if kind == "model" else 14)
