"""The JSON Schema of programs, strict enough for the providers' tool calling.

Strict mode (OpenAI structured outputs; Anthropic strict tools) wants every property required, no
additional ones, no defaults, `anyOf` instead of `oneOf`. An optional argument is therefore nullable,
and null means that it is not given.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from forgewright.code.operations import registry

_DROPPED = ("default", "title", "minLength", "maxLength", "pattern", "format", "minItems", "maxItems")


def tool_schema(allow: Collection[str] | None = None) -> dict[str, Any]:
    """`{"operations": [one of the allowed operations, …]}`."""
    operations = [operation_schema(name) for name in registry.names() if allow is None or name in allow]
    return {
        "type": "object",
        "properties": {
            "operations": {
                "type": "array",
                "description": "Carried out in order; either all take effect or none.",
                "items": {"anyOf": operations},
            }
        },
        "required": ["operations"],
        "additionalProperties": False,
    }


def operation_schema(name: str) -> dict[str, Any]:
    """One operation as an object with `op`."""
    cls = registry.load(name)
    (_,), components = msgspec.json.schema_components([cls], ref_template="#/$defs/{name}")
    own = dict(components[cls.__name__])
    found = _strict(own, components)
    assert isinstance(found, dict)
    found["description"] = (cls.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " ")
    found["properties"]["op"] = {"type": "string", "enum": [name]}
    return found


def _strict(node: Any, components: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_strict(item, components) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _strict(components[node["$ref"].rpartition("/")[2]], components)
    out = {key: _strict(value, components) for key, value in node.items() if key not in _DROPPED}
    if "oneOf" in out:
        out["anyOf"] = out.pop("oneOf")
    if out.get("type") == "object" and "properties" in node:
        required = set(node.get("required", ()))
        out["properties"] = {
            key: _strict(value, components) if key in required else _nullable(_strict(value, components))
            for key, value in node["properties"].items()
        }
        out["required"] = list(node["properties"])
        out["additionalProperties"] = False
    elif out.get("type") == "object":  # a mapping: strict mode knows fixed keys only
        out = {**out, "type": "array", "items": _pair(out.pop("additionalProperties", {"type": "string"}))}
    if "enum" in out and "type" not in out:
        out["type"] = "string"
    return out


def _pair(value: Any) -> dict[str, Any]:
    """An entry of a mapping, as the parser takes it too."""
    return {
        "type": "object",
        "properties": {"key": {"type": "string"}, "value": value},
        "required": ["key", "value"],
        "additionalProperties": False,
    }


def _nullable(node: dict[str, Any]) -> dict[str, Any]:
    description = node.get("description")
    if isinstance(node.get("type"), str) and "enum" not in node:
        return {**node, "type": [node["type"], "null"]}
    if "anyOf" in node:
        rest = {key: value for key, value in node.items() if key != "anyOf"}
        options = node["anyOf"]
        return {**rest, "anyOf": options if {"type": "null"} in options else [*options, {"type": "null"}]}
    inner = {key: value for key, value in node.items() if key != "description"}
    out: dict[str, Any] = {"anyOf": [inner, {"type": "null"}]}
    return {"description": description, **out} if description else out
