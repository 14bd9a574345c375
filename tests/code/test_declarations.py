"""Each argument of each operation carries a sentence; the schema is as strict as the providers ask."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import msgspec
import pytest

from forgewright.code.languages import language_of
from forgewright.code.operations import registry
from forgewright.code.operations.elsewhere import KNOWN_AS
from forgewright.code.prompt import prompt
from forgewright.code.schema import tool_schema
from forgewright.code.syntax.diagnostics import InvalidProgram
from forgewright.code.syntax.program import describe, parse


def test_every_argument_has_a_sentence() -> None:
    for name in registry.names():
        for field in msgspec.structs.fields(registry.load(name)):
            assert describe(field).endswith("."), f"{name} {field.encode_name}"


def test_every_language_that_is_named_has_an_example() -> None:
    for name in registry.names():
        operation = registry.load(name)
        shown = {language_of(path) for example in operation.examples for path in example.before}
        assert set(operation.languages) <= shown, name


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


def test_names_of_other_tools_lead_to_operations() -> None:
    names = set(registry.names())
    assert set(KNOWN_AS) <= names
    elsewhere = [one for theirs in KNOWN_AS.values() for one in theirs]
    assert not names.intersection(elsewhere)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", one) for one in elsewhere)
    with pytest.raises(InvalidProgram, match=r"here it is rename\b"):
        parse("(Rename_Symbol old: 'x')")
    with pytest.raises(InvalidProgram, match="add-parameter or remove-parameter or reorder-parameters"):
        parse("(change-signature)")
    with pytest.raises(InvalidProgram, match=r"is no operation\s.*did you mean 'inline'"):
        parse("(inlin)")


def test_an_unknown_argument_is_named_as_it_was_written() -> None:
    with pytest.raises(InvalidProgram, match="no argument 'target'"):
        parse("(outline target: 'file:a.py')")


def test_what_an_operation_is_about_may_be_called_by_its_other_names() -> None:
    told = parse("(add-parameter symbol: 'function#f' name: 'x')")
    for word in ("to", "target", "selector", "function"):
        assert parse(f"(add-parameter {word}: 'function#f' name: 'x')") == told
    assert parse("(rename target: '#f' to: 'g')") == parse("(rename symbol: '#f' new: 'g')")
    assert parse("(pull-up symbol: 'method#A.f')") == parse("(pull-up select: 'method#A.f')")
    with pytest.raises(InvalidProgram, match="'to' is given twice"):
        parse("(rename symbol: '#f' new: 'g' to: 'h')")
