"""Help and the reference page of the language, both made from the operations' declarations."""

from __future__ import annotations

import typing
from collections.abc import Iterable
from typing import Any

import msgspec

from forgewright.code.operations import registry
from forgewright.code.operations.base import Example, Operation
from forgewright.code.operations.elsewhere import KNOWN_AS
from forgewright.code.selectors.kinds import KINDS
from forgewright.code.syntax.diagnostics import InvalidProgram, Problem, nearest
from forgewright.code.syntax.program import describe, other_name

GROUPS = (
    "query",
    "rename",
    "signature",
    "insert",
    "replace",
    "delete",
    "wrap",
    "move",
    "extract",
    "inline",
    "imports",
    "decorators",
    "class members",
    "conversions",
    "rewrite",
    "files",
)


SHOWN = {
    "python": "Python",
    "javascript": "JavaScript",
    "typescript": "TypeScript",
    "go": "Go",
    "rust": "Rust",
    "java": "Java",
}


def explain(name: str) -> str:
    """Help for one operation; for an empty name a line for each."""
    if not name:
        width = max(map(len, registry.names()))
        lines = [f"{found.ljust(width)}  {summary(registry.load(found))}" for found in registry.names()]
        return "\n".join(lines) + "\n"
    if name not in registry.names():
        known = registry.names()
        hint = other_name(name, known) or nearest(name, known) or f"operations: {', '.join(registry.names())}"
        raise InvalidProgram([Problem(f"there is no operation {name!r}", hint=hint)])
    cls = registry.load(name)
    parts = [usage(name, cls), "", help_text(cls), "", *_languages(cls)]
    fields = msgspec.structs.fields(cls)
    width = max((len(field.encode_name) for field in fields), default=0)
    for field in fields:
        parts.append(f"  {field.encode_name.ljust(width)}  {describe(field)} {_type_note(field)}".rstrip())
    for example in cls.examples:
        parts.extend(["", *_example_text(example)])
    return "\n".join(parts) + "\n"


def usage(name: str, cls: type[Operation]) -> str:
    """`(name required: … [optional: …])`."""
    fields = sorted(msgspec.structs.fields(cls), key=lambda field: not field.required)
    words = [f"{f.encode_name}: …" if f.required else f"[{f.encode_name}: …]" for f in fields]
    return f"({' '.join([name, *words])})"


def summary(cls: type[Operation]) -> str:
    """The first paragraph of an operation's docstring, on one line."""
    return " ".join((cls.__doc__ or "").strip().split("\n\n")[0].split())


def help_text(cls: type[Operation]) -> str:
    """The docstring without its indentation."""
    from inspect import cleandoc

    return cleandoc(cls.__doc__ or "")


def _languages(cls: type[Operation]) -> Iterable[str]:
    if cls.languages:
        names = [SHOWN[language] for language in cls.languages]
        yield f"For {' and '.join(filter(None, (', '.join(names[:-1]), names[-1])))}.\n"


def _type_note(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "(required)"
    default = field.default
    if default is msgspec.NODEFAULT or default in ("", (), None):
        return ""
    return f"(default {msgspec.json.encode(default).decode()})"


def type_name(kind: Any) -> str:
    """A field's type in the words of the language."""
    if typing.get_origin(kind) is typing.Annotated:
        return type_name(typing.get_args(kind)[0])
    if typing.get_origin(kind) is typing.Literal:
        return " · ".join(f"`{value}`" for value in typing.get_args(kind))
    if typing.get_origin(kind) is tuple:
        return f"list of {type_name(typing.get_args(kind)[0])}"
    args = [arg for arg in typing.get_args(kind) if arg is not type(None)]
    if args and typing.get_origin(kind) not in (tuple, list, dict):
        return " or ".join(type_name(arg) for arg in args)
    known = {str: "text", int: "number", float: "number", bool: "`true` · `false`"}
    if kind in known:
        return known[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        inner = " ".join(f"{f.encode_name}: …" for f in msgspec.structs.fields(kind))
        return "{" + inner + "}"
    return str(getattr(kind, "__name__", kind))


def _example_text(example: Example) -> Iterable[str]:
    yield from ("  " + line for line in example.program.split("\n"))
    for path, text in example.before.items():
        after = example.after.get(path, text)
        yield f"    {path}:"
        yield from ("      - " + line for line in text.splitlines())
        if after != text and after is not None:
            yield from ("      + " + line for line in after.splitlines())
    if example.refused:
        yield f"    refused: {example.refused}"
    if example.result:
        yield from ("    = " + line for line in example.result.split("\n"))


def page() -> str:
    """The whole reference page, as Markdown."""
    by_group: dict[str, list[str]] = {}
    for name in registry.names():
        by_group.setdefault(registry.load(name).group, []).append(name)
    groups = [group for group in GROUPS if group in by_group] + sorted(set(by_group) - set(GROUPS))
    parts = [_HEAD, _contents(groups, by_group), _elsewhere(), _kinds()]
    for group in groups:
        parts.append(f"## {group.capitalize()}\n")
        parts.extend(_section(name, registry.load(name)) for name in by_group[group])
    return "\n".join(parts).rstrip() + "\n"


def _contents(groups: Iterable[str], by_group: dict[str, list[str]]) -> str:
    lines = ["## Operations\n"]
    for group in groups:
        links = ", ".join(f"[`{name}`](#{name})" for name in by_group[group])
        lines.append(f"- **{group}**: {links}")
    return "\n".join(lines) + "\n"


def _elsewhere() -> str:
    """An index of the names that editors and other tools use."""
    ours: dict[str, list[str]] = {}
    for name, theirs in KNOWN_AS.items():
        for one in theirs:
            ours.setdefault(one, []).append(f"[`{name}`](#{name})")
    rows = "\n".join(f"| {one.replace('-', ' ')} | {', '.join(ours[one])} |" for one in sorted(ours))
    return f"## Known by another name\n\n| elsewhere | here |\n|---|---|\n{rows}\n"


def _kinds() -> str:
    rows = "\n".join(f"| `{kind}` | {meaning} |" for kind, meaning in KINDS.items())
    return f"## Kinds of nodes\n\n| kind | what it is |\n|---|---|\n{rows}\n"


def _section(name: str, cls: type[Operation]) -> str:
    fields = msgspec.structs.fields(cls)
    rows = [
        f"| `{f.encode_name}` | {type_name(f.type)} | {_cell(f)} |"
        for f in sorted(fields, key=lambda field: not field.required)
    ]
    parts = [f"### {name}\n", f"```\n{usage(name, cls)}\n```\n", help_text(cls) + "\n", *_languages(cls)]
    if rows:
        parts.append("| argument | type | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    parts.extend(_example_page(example) for example in cls.examples)
    return "\n".join(parts)


def _cell(field: msgspec.structs.FieldInfo) -> str:
    note = _type_note(field)
    text = f"{describe(field)} {note}".strip()
    return text.replace("|", "\\|")


def _example_page(example: Example) -> str:
    parts = [example.note + "\n"] if example.note else []
    parts.append(f"```lisp\n{example.program}\n```\n")
    for path, text in example.before.items():
        after = example.after.get(path, text)
        if after != text:
            parts.append(f"```diff\n{_diff(path, text, after)}```\n")
        elif example.result or example.refused:
            parts.append(f"```\n# {path}\n{text.rstrip()}\n```\n")
    for path, created in example.after.items():
        if path not in example.before:
            parts.append(f"```diff\n{_diff(path, None, created)}```\n")
    if example.refused:
        parts.append(f"Refused: `{example.refused}`.\n")
    if example.result:
        parts.append(f"Result:\n\n```\n{example.result}\n```\n")
    return "\n".join(parts)


def _diff(path: str, before: str | None, after: str | None) -> str:
    from forgewright.code.diff import unified
    from forgewright.code.project import FileChange

    change = FileChange(
        path, before.encode() if before is not None else None, after.encode() if after is not None else None
    )
    return unified(change).replace("\r", "␍")


_HEAD = """\
# The language of code: reference

This page is made from the operations' declarations (`python scripts/reference.py`); every example on it
runs as a test.

A **program** is one operation per form, `(name key: value …)`. It is planned as a whole, checked, and written to
all files or to none. Comments begin with `;`. Values:

| value | written |
|---|---|
| text | `'…'` or `"…"` with `\\n \\t \\\\ \\' \\" \\xNN \\uNNNN` |
| raw text | `r'…'` |
| text block | `'''…'''` or `\"\"\"…\"\"\"`: raw; after a line break at its start the common indentation is taken off |
| number, truth, nothing | `12`, `0.5`, `true`, `false`, `null` |
| list, record | `[a b c]`, `{key: value}` |
| one word | may go without quotes: `strings: all` |

The same program as JSON, for tool calls: `{"operations": [{"op": "find", "pattern": "print($X)"}]}`; an argument
that is null is not given. A program may begin with `(version number: 1)`, the version of this grammar.

A **selector** names nodes of the syntax tree:

| selector | names |
|---|---|
| `function#fetch` | the function `fetch` |
| `#Cache.get` | whatever is defined as `get` in `Cache` |
| `class#Cache > method` | the methods right in class `Cache`; a space instead of `>`: at any depth |
| `call[name=print]` | calls of `print` and `x.print` |
| `call[function=os.path.join]` | calls whose function is written so (a field of the grammar) |
| `method[name^=get_]`, `$=`, `*=`, `~=`, `!=` | names that begin, end, contain, match (regular expression), differ |
| `parameter[index=0]` | the first parameter of each function |
| `function:has(return)`, `:not(…)`, `:is(…)`, `:inside(…)` | with, without, as well as, inside |
| `:first`, `:last`, `:nth(2)` | one of all matches in a file |
| `if + return`, `if ~ return` | the next, any later sibling |
| `function_definition` | a node type of the language's own grammar |
| `` `open($PATH, $$$REST)` `` | a code pattern: `$NAME` is one node, `$$$NAME` any number |
| `app/*.py::class` | only in these files; `,` between several globs |
| `app/util.py:12:5`, `app/util.py:12` | the node at this place; the statement on this line |
| `class, interface` | either |

Lines and columns count from 1, columns in characters. An operation that changes something needs exactly one
match unless it is told `every: true`; for none or several, the error lists the candidates with their places.
"""
