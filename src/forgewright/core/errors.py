"""The one tree of errors. Every message says what was expected, what was found, and what to do next.

ForgewrightError
├── UsageError                    the caller asked for something that makes no sense
│   └── ConfigError               a configuration file is wrong (all mistakes at once)
├── NotFound                      no such run, file, session, key …
├── Conflict                      the world moved: somebody else changed it first
│   ├── LostRace                  an append expected another sequence
│   └── LeaseLost                 another worker executes the run now
├── Unavailable                   something this machine lacks
│   ├── MissingProgram            … a program; carries the command that installs it
│   └── MissingExtra              … a Python extra; carries the command that installs it
├── Refused                       a rule forbids it; never says how to switch the rule off
│   ├── PolicyDenied              the gate said no
│   ├── EditRefused               an edit would break or capture something
│   └── UnsafePath                a path leaves its root, or goes through a link
├── StoreError                    bytes could not be kept or read
│   └── StoreFull                 the disk is full or the folder cannot be written
├── IntegrityError                a record, proof or signature does not verify; names the record
├── ModelError                    a model did not answer as it should
│   ├── ModelUnknown              no such provider or model
│   ├── ModelAuthError            key missing or refused
│   ├── ModelRateLimited          told to wait; carries retry_after_seconds
│   ├── ModelOverloaded           the server failed (5xx) or could not be reached
│   ├── ModelProtocolError        the answer was cut, malformed or too large
│   ├── ContextOverflow           the request does not fit the model's context
│   └── ReplayExhausted           a recorded session has no answer for this request
├── ToolError                     a tool failed; the model may read the message and try again
│   └── ToolArgumentError         its arguments did not fit its schema
├── ProgramError                  a program of the language of code is wrong (all mistakes at once)
├── SandboxError                  the sandbox itself broke (a command that fails is no error)
└── RunError                      a run cannot go on
    ├── BudgetExhausted           tokens, money, steps or time are spent; the run is parked
    ├── Parked                    the run waits for a person or a time, and needs no process
    ├── Stopped                   somebody stopped the run
    ├── StuckError                the agent repeats itself and gets nowhere
    └── Nondeterminism            on replay, a node asked for something else than it did before
"""

from __future__ import annotations


class ForgewrightError(Exception):
    """Base of all errors raised on purpose.

    `message` says what was expected and what was found; `hint` says what to do next (one sentence or
    a command); `code` is a stable, machine-readable name for `--json` output and tests.
    """

    code = "error"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.hint}" if self.hint else self.message


class UsageError(ForgewrightError):
    code = "usage"


class ConfigError(UsageError):
    code = "config"


class NotFound(ForgewrightError):
    code = "not_found"


class Conflict(ForgewrightError):
    code = "conflict"


class LostRace(Conflict):
    """An append expected the run to end at `expected`, but it ends at `found`."""

    code = "lost_race"

    def __init__(self, run: str, expected: int, found: int) -> None:
        super().__init__(
            f"run {run} was expected to end at sequence {expected}, but ends at {found}",
            hint="another process writes this run; read it again before writing",
        )
        self.run = run
        self.expected = expected
        self.found = found


class LeaseLost(Conflict):
    """Another worker executes the run. `worker` names it, where it is known."""

    code = "lease_lost"

    def __init__(self, message: str, *, worker: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.worker = worker


class Unavailable(ForgewrightError):
    code = "unavailable"


class MissingProgram(Unavailable):
    code = "missing_program"

    def __init__(self, program: str, *, needed_for: str, install: str) -> None:
        super().__init__(
            f"{program} is needed for {needed_for}, and is not installed", hint=f"run: {install}"
        )
        self.program = program
        self.install = install


class MissingExtra(Unavailable):
    code = "missing_extra"

    def __init__(self, extra: str, *, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs packages that are not installed",
            hint=f"run: pip install 'forgewright[{extra}]'",
        )
        self.extra = extra


class Refused(ForgewrightError):
    code = "refused"


class PolicyDenied(Refused):
    code = "policy_denied"


class EditRefused(Refused):
    code = "edit_refused"


class UnsafePath(Refused):
    code = "unsafe_path"


class StoreError(ForgewrightError):
    code = "store"


class StoreFull(StoreError):
    code = "store_full"


class IntegrityError(ForgewrightError):
    """Something that was recorded does not verify. `record` names it (log index, or file in a bundle)."""

    code = "integrity"

    def __init__(self, message: str, *, record: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.record = record


class ModelError(ForgewrightError):
    code = "model"


class ModelUnknown(ModelError):
    code = "model_unknown"


class ModelAuthError(ModelError):
    code = "model_auth"


class ModelRateLimited(ModelError):
    code = "model_rate_limited"

    def __init__(
        self, message: str, *, retry_after_seconds: float | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_seconds = retry_after_seconds


class ModelOverloaded(ModelError):
    code = "model_overloaded"

    def __init__(
        self, message: str, *, retry_after_seconds: float | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_seconds = retry_after_seconds


class ModelProtocolError(ModelError):
    code = "model_protocol"


class ContextOverflow(ModelError):
    code = "context_overflow"


class ReplayExhausted(ModelError):
    code = "replay_exhausted"


class ToolError(ForgewrightError):
    code = "tool"


class ToolArgumentError(ToolError):
    code = "tool_arguments"


class ProgramError(ForgewrightError):
    code = "program"


class SandboxError(ForgewrightError):
    code = "sandbox"


class RunError(ForgewrightError):
    code = "run"


class BudgetExhausted(RunError):
    code = "budget_exhausted"


class Parked(RunError):
    code = "parked"


class Stopped(RunError):
    code = "stopped"


class StuckError(RunError):
    code = "stuck"


class Nondeterminism(RunError):
    code = "nondeterminism"
