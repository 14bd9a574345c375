"""What an operation is: a declaration that parser, schema, help, reference page and tests are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

from forgewright.code.binding import Occurrence, RenameOptions, Renaming, Resolver, Symbol
from forgewright.code.project import Project, Source, Splice

if TYPE_CHECKING:
    from tree_sitter import Node


Languages = tuple[str, ...]
"""Languages by their names in `languages.GRAMMARS`."""
PYTHON: Languages = ("python",)
SCRIPTS: Languages = ("javascript", "typescript")
"""With TSX, which is TypeScript."""
POSITIONAL: Languages = ("go", "rust", "java")
"""Where arguments go by place only."""


class Example(msgspec.Struct, frozen=True):
    """A program with the files before and after it: documentation and test in one.

    Files that do not change may be left out of `after`; a deleted one is None there.
    """

    program: str
    before: Mapping[str, str]
    after: Mapping[str, str | None] = {}
    refused: str = ""
    """Part of the message with which the program is refused; nothing changes then."""
    result: str = ""
    """Part of the text that the operation returns (for queries)."""
    note: str = ""
    """One sentence for the reference page."""


class Outcome(msgspec.Struct, frozen=True):
    """What an operation wants done, and what it has to say. Nothing is written from it directly."""

    splices: tuple[Splice, ...] = ()
    create: Mapping[str, bytes] = {}
    """Path → content; the file must not be there yet."""
    delete: tuple[str, ...] = ()
    move: tuple[tuple[str, str], ...] = ()
    """(from, to); splices of the same outcome speak of the old path."""
    text: str = ""
    """The result for a reader or a model: short."""
    data: Any = None
    """The result for a program: whatever `msgspec.json` encodes."""
    uncertain: tuple[Occurrence, ...] = ()
    """Places that may be meant, and were left alone."""
    notes: tuple[str, ...] = ()
    """What the caller should know: one sentence each."""
    sound: frozenset[str] = frozenset()
    """Files that the splices are sure to leave as well-formed as they were (see `fitting`)."""
    introduces: frozenset[str] | None = None
    """The names that stand in sound files where they did not stand before, and are bound by nothing new; None:
    not known, or something else about names is changed."""
    captures: frozenset[str] = frozenset()
    """Names that are to mean the new thing that the operation binds, since that is what it was asked for."""


class Match:
    """One node that a selector or a pattern found."""

    __slots__ = ("captures", "end", "node", "source", "start")

    def __init__(
        self, source: Source, node: Node, captures: Mapping[str, Sequence[Node]] | None = None
    ) -> None:
        self.source = source
        self.node = node
        self.start = node.start_byte
        self.end = node.end_byte
        self.captures: Mapping[str, Sequence[Node]] = captures or {}
        """Of a pattern: metavariable (without `$`) → the nodes that it stands for."""

    @property
    def path(self) -> str:
        return self.source.path

    @property
    def kind(self) -> str:
        """The language-neutral kind, or the grammar's name of the node where there is none."""
        from forgewright.code.selectors.nodes import kind_of

        return kind_of(self.node, self.source.language)

    @property
    def name(self) -> str:
        """The first of the names that it goes by; else empty."""
        from forgewright.code.selectors.nodes import names

        return names(self.node)[0]

    @property
    def text(self) -> bytes:
        return self.source.data[self.start : self.end]


class Scene(Protocol):
    """What an operation sees while it plans. Earlier operations have had their effect."""

    @property
    def project(self) -> Project: ...

    def resolver(self, language: str) -> Resolver:
        """Raises `EditRefused` for a language without one."""

    def weigh(
        self, language: str, symbol: Symbol, new_name: str, own: Renaming, options: RenameOptions
    ) -> Renaming:
        """A renaming with a language server's opinion weighed in, where one is asked; else as it is."""
        ...

    def select(self, selector: str, *, within: str | Sequence[str] | None = None) -> Sequence[Match]:
        """All nodes that `selector` names, in files that match the glob(s) `within`, in order."""

    def stream(self, selector: str, *, within: str | Sequence[str] | None = None) -> Iterator[Match]:
        """The same, found while they are asked for: a file's tree can be let go before the next is parsed."""
        ...

    def one(self, selector: str, *, within: str | Sequence[str] | None = None) -> Match:
        """The only node that `selector` names. None or several: `ProgramError` with candidates."""

    def position(self, at: str) -> tuple[str, int]:
        """`path:line:column` (both from 1; column in characters, optional) → (path, byte offset)."""

    def range(self, span: str) -> tuple[str, int, int]:
        """`path:line:column-line:column` or `path:line-line` (whole lines) → (path, start, end)."""

    def report(self, note: str) -> None:
        """A sentence that the caller should read with the result."""


class Operation(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="op",
    tag=lambda name: "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-"),
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """One subclass is one operation; its tag is its name in kebab-case (`AddImport` → `add-import`).

    The docstring is its help (the first line its summary), each field an
    `Annotated[type, Meta(description="one sentence")]`. A field whose name is a Python keyword
    gets its public one by `msgspec.field(name="in")`.
    """

    examples: ClassVar[tuple[Example, ...]] = ()
    group: ClassVar[str] = ""
    """Heading on the reference page: `query`, `rename`, `insert`, …"""
    languages: ClassVar[Languages] = ()
    """What it is known for; empty: all, as far as its help does not say otherwise."""
    writes: ClassVar[bool] = True
    """False for queries."""
    binds: ClassVar[bool] = True
    """Whether names are to be compared before and after it; False for what compares them itself."""
    checked: ClassVar[bool] = True
    """False if the result may be as broken as it was before: giving back what was there."""

    def plan(self, scene: Scene) -> Outcome:
        """What is to be done; changes nothing.

        Raises `ProgramError`, `EditRefused`, `NotFound`, `UnsafePath`.
        """
        raise NotImplementedError


def occurrences_text(
    project: Project,
    places: Iterable[Occurrence],
    limit: int = 20,
    around: Callable[[Occurrence], str] | None = None,
) -> str:
    """`path:line  role  the line's text`, one place a line, at most `limit` of them.

    `around` gives the name of what a place is in: `role in name`.
    """
    lines: list[str] = []
    total = 0
    for place in places:
        total += 1
        if total > limit:
            continue
        data = project.source(place.path).data
        row = data.count(b"\n", 0, place.start) + 1
        begin = data.rfind(b"\n", 0, place.start) + 1
        end = data.find(b"\n", place.start)
        text = data[begin : end if end >= 0 else len(data)].decode("utf-8", "replace").strip()
        note = f" ({place.note})" if place.note else ""
        inside = around(place) if around is not None else ""
        note += f" in {inside}" if inside else ""
        lines.append(f"{place.path}:{row}  {place.role}{note}  {text[:120]}")
    if total > limit:
        lines.append(f"… and {total - limit} more")
    return "\n".join(lines)


def plural(count: int, word: str) -> str:
    """`1 place`, `2 places`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
