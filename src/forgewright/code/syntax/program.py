"""From text or JSON to operations: every argument checked against its declaration, all mistakes at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple, get_type_hints

import msgspec

from forgewright.code.operations import registry
from forgewright.code.operations.base import Operation
from forgewright.code.operations.elsewhere import named_here
from forgewright.code.syntax.diagnostics import InvalidProgram, Problem, nearest
from forgewright.code.syntax.printer import print_form
from forgewright.code.syntax.reader import GRAMMAR_VERSION, PROGRAM_CHARS_MAX, Reader

OPERATIONS_MAX = 1000
UNDO_CHARS_MAX = 1 << 28
"""An undo program holds what was there before, of every file: it is as long as it must be."""
UNDO_OPERATIONS_MAX = 1_000_000

SYNONYMS = {
    "in": ("within",),
    "within": ("in",),
    "target": ("symbol", "select"),
    "symbol": ("target", "select"),
    "selector": ("target", "symbol", "select"),
    "function": ("symbol", "target"),
    "class": ("symbol", "target"),
    "to": ("new", "symbol"),
    "new": ("to",),
    "new_name": ("new", "name"),
    "file": ("path", "in"),
    "path": ("file", "in"),
}
"""Names of arguments that are taken for others where an operation knows only those."""

_MISSING = object()


class Raw(NamedTuple):
    """An operation as written, whatever its form."""

    name: str
    arguments: list[tuple[str, Any, int, int]]
    """key, value, line, column"""
    line: int
    column: int


def parse(text: str, *, allow: Collection[str] | None = None) -> tuple[Operation, ...]:
    """The operations of a program, s-expressions or JSON. Raises `InvalidProgram` with all mistakes."""
    return _parsed(text, allow, PROGRAM_CHARS_MAX, OPERATIONS_MAX)


def parse_undo(text: str) -> tuple[Operation, ...]:
    """The operations of an undo program: `restore` only, as many as there were files. Raises `InvalidProgram`."""
    return _parsed(text, ("restore",), UNDO_CHARS_MAX, UNDO_OPERATIONS_MAX)


def _parsed(
    text: str, allow: Collection[str] | None, chars_max: int, operations_max: int
) -> tuple[Operation, ...]:
    problems: list[Problem] = []
    raws = _raws(text, problems, chars_max)
    if not raws and not problems:
        problems.append(Problem("expected at least one operation, found none", hint="(name key: value …)"))
    if len(raws) > operations_max:
        problems.append(Problem(f"expected at most {operations_max} operations, found {len(raws)}"))
        raws = raws[:0]
    operations = [bind(raw, number, problems, allow) for number, raw in enumerate(raws, 1)]
    if problems:
        raise InvalidProgram(problems)
    return tuple(operation for operation in operations if operation is not None)


def unparse(operations: Iterable[Operation]) -> str:
    """The canonical text of operations."""
    return "".join(print_form(name_of(type(op)), _fields(op).items()) + "\n" for op in operations)


def to_json(operations: Iterable[Operation]) -> str:
    """The same program in its JSON form."""
    body = {"operations": [{"op": name_of(type(op)), **_fields(op)} for op in operations]}
    return msgspec.json.encode(body).decode()


def name_of(operation: type[Operation]) -> str:
    """The name of an operation."""
    tag = operation.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def _fields(operation: Operation) -> dict[str, Any]:
    plain = msgspec.to_builtins(operation)
    plain.pop("op", None)
    assert isinstance(plain, dict)
    return plain


def _raws(text: str, problems: list[Problem], chars_max: int) -> list[Raw]:
    if text.lstrip()[:1] in ("{", "["):
        return _json_raws(text, problems)
    reader = Reader(text, chars_max=chars_max)
    document = reader.read()
    problems.extend(reader.problems)
    raws = []
    for form in document.forms:
        arguments = [(a.key, a.value, *reader.place(a.offset)) for a in form.arguments]
        raws.append(Raw(form.name, arguments, *reader.place(form.offset)))
    return _without_version(raws, problems)


def _without_version(raws: list[Raw], problems: list[Problem]) -> list[Raw]:
    """A first form `(version number: 1)` says in which version of the grammar the program is written."""
    if not raws or raws[0].name != "version":
        return raws
    first = raws[0]
    if [(key, value) for key, value, _, _ in first.arguments] != [("number", GRAMMAR_VERSION)]:
        message = f"expected (version number: {GRAMMAR_VERSION}), found another version of the language"
        problems.append(Problem(message, line=first.line, column=first.column))
    return raws[1:]


def _json_raws(text: str, problems: list[Problem]) -> list[Raw]:
    if len(text) > PROGRAM_CHARS_MAX:
        problems.append(Problem(f"expected a program of at most {PROGRAM_CHARS_MAX} characters"))
        return []
    try:
        body = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        problems.append(Problem(f"expected JSON, found a mistake: {error}"))
        return []
    if isinstance(body, dict) and "operations" in body:
        extra = sorted(set(body) - {"operations", "version"})
        if extra:
            problems.append(Problem(f"expected 'operations' only, found {', '.join(extra)}"))
        if body.get("version") not in (None, GRAMMAR_VERSION):
            problems.append(Problem(f"expected version {GRAMMAR_VERSION}, found {body['version']!r}"))
        body = body["operations"]
    items = body if isinstance(body, list) else [body]
    raws = []
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict) or not isinstance(item.get("op"), str):
            message = 'expected an object like {"op": "find", …}, found something else'
            problems.append(Problem(message, operation=str(number)))
            continue
        raws.append(Raw(item["op"], [(k, v, 0, 0) for k, v in item.items() if k != "op"], 0, 0))
    return raws


def bind(
    raw: Raw, number: int, problems: list[Problem], allow: Collection[str] | None = None
) -> Operation | None:
    """One operation from its arguments; None, and problems, if something is wrong with them."""
    label = f"{number} {raw.name}"
    known = [name for name in registry.names() if allow is None or name in allow]
    name = raw.name.replace("_", "-")
    if name not in known:
        why = "is not allowed here" if name in registry.names() else "is no operation"
        hint = other_name(name, known) or nearest(name, known) or f"operations: {', '.join(known[:60])}"
        problems.append(
            Problem(f"{raw.name!r} {why}", hint=hint, line=raw.line, column=raw.column, operation=str(number))
        )
        return None
    cls = registry.load(name)
    fields = {field.encode_name: field for field in msgspec.structs.fields(cls)}
    found: dict[str, Any] = {}
    before = len(problems)
    for written, value, line, column in raw.arguments:
        key = next((name for name in (written, *SYNONYMS.get(written, ())) if name in fields), written)
        field = fields.get(key)
        where: dict[str, Any] = {"line": line, "column": column, "operation": label}
        if field is None:
            hint = nearest(written, fields) or f"it takes {', '.join(fields) or 'nothing'}"
            problems.append(Problem(f"there is no argument {written!r}", hint=hint, **where))
        elif key in found:
            problems.append(Problem(f"{written!r} is given twice", hint="leave one of them out", **where))
        elif value is None and not field.required:
            continue
        else:
            found[key] = _convert(value, field, problems, where)
    for key, field in fields.items():
        if field.required and key not in found:
            problems.append(
                Problem(
                    f"{key!r} is missing: {describe(field)}",
                    line=raw.line,
                    column=raw.column,
                    operation=label,
                    hint=f"add {key}: …",
                )
            )
    if len(problems) > before:
        return None
    renamed = {fields[key].name: value for key, value in found.items()}
    try:
        return cls(**renamed)
    except ValueError as error:
        problems.append(Problem(str(error), line=raw.line, column=raw.column, operation=label))
        return None


def other_name(name: str, known: Collection[str]) -> str:
    """What is called `name` elsewhere, as a hint; nothing if no tool calls something here so."""
    found = [ours for ours in named_here(name) if ours in known]
    return f"here it is {' or '.join(found)}" if found else ""


def _convert(value: Any, field: msgspec.structs.FieldInfo, problems: list[Problem], where: Any) -> Any:
    if (
        isinstance(value, list)
        and value
        and all(isinstance(v, dict) and set(v) == {"key", "value"} for v in value)
    ):
        pairs = {str(v["key"]): v["value"] for v in value}  # a mapping, as strict schemas write it
        try:
            return msgspec.convert(pairs, field.type)
        except msgspec.ValidationError:
            pass
    try:
        return msgspec.convert(value, field.type)
    except msgspec.ValidationError as error:
        message = re.sub(r" - at `\$(.*)`$", r" at \1", str(error)).replace("Expected", "expected", 1)
        problems.append(
            Problem(f"{field.encode_name}: {message}, found {value!r:.80}", hint=describe(field), **where)
        )
        return _MISSING


def describe(field: msgspec.structs.FieldInfo) -> str:
    """The sentence that a field is declared with."""
    meta = getattr(field.type, "__metadata__", ())
    return next((m.description for m in meta if isinstance(m, msgspec.Meta) and m.description), "")


def hints(operation: type[Operation]) -> dict[str, Any]:
    """The fields' types with their `Meta`."""
    return get_type_hints(operation, include_extras=True)
