"""Each argument of each operation carries a sentence; the schema is as strict as the providers ask."""

from __future__ import annotations

from typing import Any

import jsonschema
import msgspec

from forgewright.code.operations import registry
from forgewright.code.prompt import prompt
from forgewright.code.schema import tool_schema
from forgewright.code.syntax.program import describe


def test_every_argument_has_a_sentence() -> None:
    for name in registry.names():
        for field in msgspec.structs.fields(registry.load(name)):
            assert describe(field).endswith("."), f"{name} {field.encode_name}"


def walk(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for item in node for found in walk(item)]
    if not isinstance(node, dict):
        return []
    return [node, *(found for value in node.values() for found in walk(value))]


def test_schema_is_strict() -> None:
    schema = tool_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for node in walk(schema):
        if "object" in (node.get("type") or ()):
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
        assert not set(node) & {"oneOf", "$ref", "$defs"} or "properties" not in node
    assert "$ref" not in str(schema)
    assert sum(len(node.get("properties", ())) for node in walk(schema)) < 5000


def test_schema_takes_what_the_parser_takes() -> None:
    validator = jsonschema.Draft202012Validator(tool_schema())
    validator.validate({"operations": [{"op": "delete-file", "path": "a.py"}]})
    assert not validator.is_valid({"operations": [{"op": "delete-file", "path": "a.py", "extra": 1}]})
    assert not validator.is_valid({"operations": [{"op": "nothing"}]})


def test_only_allowed_operations_are_taught() -> None:
    schema = tool_schema({"find", "outline"})
    operations = schema["properties"]["operations"]["items"]["anyOf"]
    assert [node["properties"]["op"]["enum"] for node in operations] == [["outline"], ["find"]]
    text = prompt({"find"})
    assert "(find " in text
    assert "(delete-file" not in text
