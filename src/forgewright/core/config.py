"""`forgewright.toml`: what a person may set, as a schema with a sentence per key, and its strict reader.

Pure: bytes in, bound values out. All mistakes are reported at once, each with its line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from forgewright.core.errors import ConfigError
from forgewright.core.limits import CONFIG_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE_NAME = "forgewright.toml"
ROLES = ("planner", "coder", "refactorer")

Model = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]*:.+$")]
Positive = Annotated[int, Meta(gt=0)]
Amount = Annotated[float, Meta(gt=0)]
Tries = Annotated[int, Meta(ge=0, le=20)]
Address = Annotated[str, Meta(pattern=r"^https?://")]
Memory = Annotated[str, Meta(pattern=r"^[0-9]+ ?(KiB|MiB|GiB)$")]

T = TypeVar("T")


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the sections; a key that is None or empty was not set."""


class RunSection(Section, frozen=True):
    """Who does the work, and how often it is tried."""

    model: Annotated[Model | None, Meta(description="Model of every role that has none of its own.")] = None
    models: Annotated[
        dict[Literal["planner", "coder", "refactorer"], Model], Meta(description="Models by role.")
    ] = {}
    fallback: Annotated[
        tuple[Model, ...], Meta(description="Models that are asked, in this order, when one can't answer.")
    ] = ()
    base_url: Annotated[Address | None, Meta(description="Server of an OpenAI-compatible model.")] = None
    context_tokens: Annotated[
        Positive | None,
        Meta(description="Tokens that a request and its answer may have; needed for local models."),
    ] = None
    max_attempts: Annotated[
        Tries | None, Meta(description="Times the coder is sent back to mend failing tests.")
    ] = None
    improvements: Annotated[
        Tries | None, Meta(description="Times the refactorer is sent in once the tests pass.")
    ] = None


class BudgetSection(Section, frozen=True):
    """What a run may spend; past a limit it is parked with what it has."""

    tokens: Annotated[Positive | None, Meta(description="Input and output tokens together.")] = None
    money_usd: Annotated[Amount | None, Meta(description="US dollars, by the provider's list price.")] = None
    steps: Annotated[
        Positive | None, Meta(description="Effects: model calls, tool calls, edits, commands.")
    ] = None
    wall_seconds: Annotated[
        Amount | None, Meta(description="Seconds of execution; a parked run's don't count.")
    ] = None


class TestsSection(Section, frozen=True):
    """How the project's tests are run; found out from the project where nothing is said."""

    command: Annotated[
        str | tuple[str, ...] | None, Meta(description="The command, as a list or as one line (no shell).")
    ] = None
    environment: Annotated[
        str | None, Meta(description="The project's virtual environment, relative to the repository.")
    ] = None
    workdir: Annotated[
        str | None, Meta(description="Folder the command starts in, relative to the repository.")
    ] = None
    timeout_seconds: Annotated[
        Amount | None, Meta(description="After this many seconds the tests are stopped.")
    ] = None


class MountSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A folder of this machine that sandboxed commands see."""

    source: str
    target: str
    mode: Literal["ro", "cow"] = "ro"


class SandboxSection(Section, frozen=True):
    """Where untrusted code runs."""

    tier: Annotated[
        Literal["container", "gvisor", "microvm"] | None,
        Meta(description="The weakest isolation that is accepted; a policy can ask for a stronger one."),
    ] = None
    memory: Annotated[Memory | None, Meta(description='Memory of a sandbox, as "2GiB".')] = None
    cpus: Annotated[Amount | None, Meta(description="Processors of a sandbox.")] = None
    mounts: Annotated[
        tuple[MountSetting, ...], Meta(description="Further folders inside: read-only, or copy-on-write.")
    ] = ()


class PolicySection(Section, frozen=True):
    """Who may do what."""

    files: Annotated[tuple[str, ...], Meta(description="Cedar policy files, relative to this file.")] = ()


class HomeSection(Section, frozen=True):
    """Where journals, work trees and keys are kept."""

    path: Annotated[str | None, Meta(description="The folder; ~ is your home.")] = None


class Config(msgspec.Struct, frozen=True):
    """One file, or several laid over each other."""

    run: RunSection = RunSection()
    budget: BudgetSection = BudgetSection()
    tests: TestsSection = TestsSection()
    sandbox: SandboxSection = SandboxSection()
    policy: PolicySection = PolicySection()
    home: HomeSection = HomeSection()

    def over(self, base: Config) -> Config:
        """This configuration, with what it does not set taken from `base`."""
        sections = {}
        for name in Config.__struct_fields__:
            mine, theirs = getattr(self, name), getattr(base, name)
            taken = {
                key: getattr(theirs, key) for key in mine.__struct_fields__ if not _is_set(getattr(mine, key))
            }
            sections[name] = msgspec.structs.replace(mine, **taken)
        return Config(**sections)

    def reaching(self) -> tuple[str, ...]:
        """The set keys that reach beyond the repository: a file that came with one must not decide them."""
        names = ("run.base_url", "sandbox.mounts", "policy.files", "home.path", "tests.environment")
        return tuple(name for name in names if _reaches(self, name))


def _is_set(value: object) -> bool:
    return value is not None and value != () and value != {}


def _reaches(config: Config, name: str) -> bool:
    section, _, key = name.partition(".")
    value = getattr(getattr(config, section), key)
    if name == "tests.environment" and isinstance(value, str):
        parts = value.split("/")
        return value.startswith(("/", "~")) or ".." in parts
    return _is_set(value)


def sections() -> Iterator[tuple[str, type[Section]]]:
    """The sections of the file, in order: name and declaration."""
    yield from get_type_hints(Config).items()


def descriptions(section: type[Section]) -> dict[str, str]:
    """The sentence of each key."""
    found = {}
    for name, kind in get_type_hints(section, include_extras=True).items():
        metas = [meta for meta in get_args(kind) if isinstance(meta, Meta) and meta.description]
        found[name] = metas[0].description or "" if metas else ""
    return found


def memory_bytes(memory: str) -> int:
    """`2GiB` → bytes."""
    number, unit = re.match(r"([0-9]+) ?(KiB|MiB|GiB)", memory).groups()  # type: ignore[union-attr]  # by its pattern
    return int(number) << {"KiB": 10, "MiB": 20, "GiB": 30}[unit]


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────


def parse_config(data: bytes, where: str = FILE_NAME) -> Config:
    """Raises `ConfigError` that lists every mistake as `where:line: what, and what was expected`."""
    import tomllib

    if len(data) > CONFIG_BYTES_MAX:
        raise ConfigError(f"{where}: {len(data):,} bytes; at most {CONFIG_BYTES_MAX:,} are read")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"{where}:{line}: not UTF-8", hint="save the file as UTF-8") from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{where}:{_line_of(str(error))}: {error}", hint="see https://toml.io for the format"
        ) from None
    lines = _lines(text)
    mistakes: list[tuple[int, str]] = []
    read = {name: _section(name, kind, document.pop(name, {}), lines, mistakes) for name, kind in sections()}
    for name in document:
        known = [section for section, _ in sections()]
        mistakes.append((lines.get((name,), 1), f"unknown section [{name}]{_nearest(name, known)}"))
    if mistakes:
        told = "\n".join(f"{where}:{line}: {mistake}" for line, mistake in sorted(mistakes))
        raise ConfigError(told, hint="forgewright init --print shows a file with every key explained")
    return Config(**read)  # type: ignore[arg-type]  # each section was converted to its own type


def _section(
    name: str,
    kind: type[Section],
    table: object,
    lines: dict[tuple[str, ...], int],
    mistakes: list[tuple[int, str]],
) -> Section:
    if not isinstance(table, dict):
        mistakes.append((lines.get((name,), 1), f"{name} has to be a section: [{name}]"))
        return kind()
    hints = get_type_hints(kind, include_extras=True)
    values: dict[str, Any] = {}
    for key, value in table.items():
        line = lines.get((name, key), lines.get((name,), 1))
        if key not in hints:
            mistakes.append((line, f"unknown key {name}.{key}{_nearest(key, list(hints))}"))
            continue
        try:
            values[key] = msgspec.convert(value, hints[key])
        except msgspec.ValidationError as error:
            mistakes.append((line, f"{name}.{key}: {_said(str(error), key, value, hints[key])}"))
    return kind(**values)


_PATTERNS = {
    "KiB": 'a size like "512MiB" or "2GiB"',
    "a-z0-9_-": "a model as provider:name, like anthropic:claude-… or ollama:…",
    "https": "an address that begins with http:// or https://",
}


def _said(message: str, key: str, value: object, kind: object) -> str:
    """msgspec's message in the words of someone who writes the file."""
    for mark, expected in _PATTERNS.items():
        if "matching regex" in message and mark in message:
            return f"expected {expected}, found {value!r}"
    message = message.replace("`", "").replace(" | null", "")
    at = re.search(r" - at (?:key in )?(\$\S*|key.*)$", message)
    if at is not None:
        inside = at[1].removeprefix("$")
        message = message[: at.start()] + (f" (at {key}{inside})" if inside else "")
    if message.startswith("Invalid enum value"):
        message += f"; there are: {', '.join(_choices(kind))}"
    return f"{message[0].lower()}{message[1:]}"


def _choices(kind: object) -> list[str]:
    """The values of all `Literal`s in a type."""
    inner = get_args(kind)
    if get_origin(kind) is Literal:
        return list(inner)
    return [choice for part in inner for choice in _choices(part)]


def _nearest(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known)}"


def _line_of(message: str) -> int:
    found = re.search(r"at line (\d+)", message)
    return int(found[1]) if found else 1


_HEADER = re.compile(r"^\s*\[\[?\s*([A-Za-z0-9_.\"' -]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+|\"[^\"]+\")(?:\s*\.\s*([A-Za-z0-9_-]+))?[^=\n]*=")


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """Where sections and keys stand; tomllib does not say. The first place of a name counts."""
    found: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        header = _HEADER.match(line)
        key = _KEY.match(line)
        if header is not None:
            section = tuple(part.strip(" \"'") for part in header[1].split("."))
            for depth in range(1, len(section) + 1):
                found.setdefault(section[:depth], number)
        elif key is not None:
            names = section + tuple(part.strip('"') for part in key.groups() if part)
            for depth in range(1, len(names) + 1):
                found.setdefault(names[:depth], number)
    return found
