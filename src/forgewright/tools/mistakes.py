"""All that is wrong with a value by its JSON Schema, said so that a model can correct it at once.

Covers the keywords that the schemas of tools use; it decides nothing by itself: a value that the decoder
takes is fine, and this only says more about one that it does not take (or that has unknown fields below
the top, which the decoder would drop).
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from typing import Any

MISTAKES_MAX = 20
DEPTH_MAX = 64

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}

_SIZES = {
    "string": ("Length", "characters"),
    "array": ("Items", "items"),
    "object": ("Properties", "entries"),
}


def mistakes(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """At most `MISTAKES_MAX` sentences, each beginning with the path of what is wrong."""
    found: list[str] = []
    for message in _check(value, schema, schema, "", 0):
        found.append(message)
        if len(found) >= MISTAKES_MAX:
            found.append("… and more")
            break
    return found


def _check(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: str, depth: int
) -> Iterator[str]:
    if depth > DEPTH_MAX:
        yield f"{path or 'arguments'}: nested deeper than {DEPTH_MAX} levels"
        return
    schema = _resolve(schema, root)
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        yield from _any_of(value, schema, options, root, path, depth)
        return
    if "const" in schema and not _same(value, schema["const"]):
        yield _expected(path, _show(schema["const"]), value)
        return
    if "enum" in schema and not any(_same(value, option) for option in schema["enum"]):
        yield _expected(path, "one of " + ", ".join(_show(o) for o in schema["enum"]), value, schema["enum"])
        return
    kind = schema.get("type")
    kinds = [kind] if isinstance(kind, str) else kind
    if kinds and not any(_is(value, one) for one in kinds):
        yield _expected(path, " or ".join(_article(one) for one in kinds), value)
        return
    yield from _bounds(value, schema, path)
    if isinstance(value, dict):
        yield from _object(value, schema, root, path, depth)
    elif isinstance(value, list):
        prefix = schema.get("prefixItems", ())
        for index, item in enumerate(value):
            inner = prefix[index] if index < len(prefix) else schema.get("items")
            if isinstance(inner, dict):
                yield from _check(item, inner, root, f"{path}[{index}]", depth + 1)


def _object(
    value: dict[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], path: str, depth: int
) -> Iterator[str]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    unknown = [key for key in value if key not in properties]
    missing = [key for key in schema.get("required", ()) if key not in value]
    for key in missing:
        meant = _near(key, unknown)
        kind = _describe(properties.get(key, {}), root)
        yield f"{_join(path, key)}: required ({kind}), missing" + (
            f"; is {_show(meant)} meant?" if meant else ""
        )
    rest = schema.get("additionalProperties")
    for key, item in value.items():
        if key in properties:
            yield from _check(item, properties[key], root, _join(path, key), depth + 1)
        elif rest is False:
            meant = _near(key, [p for p in properties if p not in value])
            yield f"{_join(path, key)}: no such parameter; " + (
                f"did you mean {_show(meant)}?" if meant else f"there are: {', '.join(properties) or 'none'}"
            )
        elif isinstance(rest, dict):
            yield from _check(item, rest, root, _join(path, key), depth + 1)


def _any_of(
    value: Any,
    schema: Mapping[str, Any],
    options: list[Mapping[str, Any]],
    root: Mapping[str, Any],
    path: str,
    depth: int,
) -> Iterator[str]:
    resolved = [_resolve(option, root) for option in options]
    tag = (schema.get("discriminator") or {}).get("propertyName")
    if tag and isinstance(value, dict):
        resolved = [o for o in resolved if _same(value.get(tag), _tag(o, tag))] or resolved
    results = [list(_check(value, option, root, path, depth + 1)) for option in resolved]
    if any(not result for result in results):
        return
    fitting = [
        result
        for option, result in zip(resolved, results, strict=True)
        if isinstance(option.get("type"), str) and _is(value, option["type"])
    ]
    if len(fitting) == 1:
        yield from fitting[0]
    else:
        yield _expected(path, " or ".join(dict.fromkeys(_describe(o, root) for o in resolved)), value)


def _bounds(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        for key, sign, good in (
            ("minimum", "≥", operator.ge),
            ("exclusiveMinimum", ">", operator.gt),
            ("maximum", "≤", operator.le),
            ("exclusiveMaximum", "<", operator.lt),
        ):
            if key in schema and not good(value, schema[key]):
                yield _expected(path, f"a number {sign} {schema[key]}", value)
    elif isinstance(value, str | list | dict):
        kind = "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"
        suffix, unit = _SIZES[kind]
        least, most = schema.get("min" + suffix, 0), schema.get("max" + suffix)
        where = path or "arguments"
        if len(value) < least:
            yield f"{where}: expected at least {least} {unit}; found {len(value)}"
        if most is not None and len(value) > most:
            yield f"{where}: expected at most {most} {unit}; found {len(value)}"


def _resolve(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(DEPTH_MAX):
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        schema = root.get("$defs", {}).get(reference.rsplit("/", 1)[-1], {})
    return {}


def _tag(option: Mapping[str, Any], tag: str) -> Any:
    field = option.get("properties", {}).get(tag, {})
    return field.get("const", (field.get("enum") or [None])[0])


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, (object,)))


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


def _expected(path: str, what: str, value: Any, names: list[Any] | None = None) -> str:
    meant = _near(value, [n for n in names or () if isinstance(n, str)]) if isinstance(value, str) else None
    return f"{path or 'arguments'}: expected {what}; found {_show(value)}" + (
        f"; did you mean {_show(meant)}?" if meant else ""
    )


def _describe(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    schema = _resolve(schema, root)
    if "const" in schema:
        return _show(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(_show(option) for option in schema["enum"])
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return " or ".join(dict.fromkeys(_describe(option, root) for option in options))
    kind = schema.get("type")
    if isinstance(kind, list):
        return " or ".join(_article(one) for one in kind)
    return _article(kind) if kind else "any value"


def _article(kind: str) -> str:
    return "null" if kind == "null" else f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _show(value: Any) -> str:
    import msgspec

    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else text[:57] + "…"


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _near(name: str, names: list[str]) -> str | None:
    if not names:
        return None
    from difflib import get_close_matches

    found = get_close_matches(name[:100], names, n=1, cutoff=0.6)
    return found[0] if found else None
