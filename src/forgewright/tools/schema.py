"""The JSON Schema of a tool's arguments: one object, closed at every level, definitions beside it."""

from __future__ import annotations

from typing import Any

import msgspec

from forgewright.core.errors import UsageError
from forgewright.tools.signature import is_pydantic


def schema_of(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """JSON Schema (2020-12) of the struct, without titles that say nothing. Raises `UsageError`."""
    lifted: dict[str, Any] = {}

    def foreign(kind: type) -> dict[str, Any]:
        if not is_pydantic(kind):
            raise NotImplementedError
        found: dict[str, Any] = kind.model_json_schema(ref_template="#/$defs/{model}")  # type: ignore[attr-defined]
        lifted.update(found.pop("$defs", {}))
        return found

    try:
        (_,), components = msgspec.json.schema_components(
            [struct], schema_hook=foreign, ref_template="#/$defs/{name}"
        )
    except (TypeError, ValueError, NotImplementedError) as error:
        raise UsageError(
            f"the arguments of {struct.__name__} have no JSON Schema: {error}",
            hint="use builtins, Literal, enums, msgspec structs, dataclasses, TypedDicts or pydantic models",
        ) from error
    root: dict[str, Any] = components.pop(struct.__name__)
    root.pop("title", None)
    definitions = {**components, **lifted}
    if definitions:
        root["$defs"] = definitions
    _close(root)
    return root


def nested(schema: dict[str, Any]) -> bool:
    """Whether objects with fields stand below the top, whose unknown fields msgspec would let pass."""
    return any("properties" in part for part in _parts(schema) if part is not schema)


def _close(schema: dict[str, Any]) -> None:
    for part in _parts(schema):
        if "properties" in part:
            part.setdefault("additionalProperties", False)


def _parts(value: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    todo: list[Any] = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            if "default" not in item or len(item) > 1:
                found.append(item)
            todo.extend(
                v
                for k, v in item.items()
                if k not in ("default", "enum", "const", "examples", "properties", "$defs")
            )
            for key in ("properties", "$defs"):
                if isinstance(item.get(key), dict):
                    todo.extend(item[key].values())
        elif isinstance(item, list):
            todo.extend(item)
    return found
