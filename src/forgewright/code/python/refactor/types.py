"""Set the annotations of a function."""

from __future__ import annotations

from collections.abc import Mapping

from forgewright.code.project import Splice
from forgewright.code.python.scopes import Scope
from forgewright.core.errors import EditRefused

STARS = {"star": "*", "kwargs": "**"}


def set_types(function: Scope, types: Mapping[str, str], returns: str | None) -> list[Splice]:
    """The splices; empty text takes an annotation away, None leaves the result's as it is."""
    file = function.file
    own = {p.name: p for p in function.parameters}
    missing = [name for name in types if name not in own]
    if missing:
        raise EditRefused(
            f"there is no parameter {', '.join(missing)}", hint=f"the parameters are {', '.join(own)}"
        )
    if not types and returns is None:
        raise EditRefused("expected types: or returns:", hint="types: {name: 'int'} returns: 'str'")
    found: list[Splice] = []
    for name, annotation in types.items():
        parameter = own[name]
        text = STARS.get(parameter.kind, "") + name + (f": {annotation}" if annotation else "")
        if parameter.default is not None:
            text += (" = " if annotation else "=") + file.text(parameter.default)
        if text != file.text(parameter.node):
            found.append(Splice(file.path, parameter.node.start_byte, parameter.node.end_byte, text.encode()))
    if returns is not None:
        node = function.node.child_by_field_name("return_type")
        parameters = function.node.child_by_field_name("parameters")
        assert parameters is not None
        end = node.end_byte if node is not None else parameters.end_byte
        text = f" -> {returns}" if returns else ""
        if file.data[parameters.end_byte : end].decode() != text:
            found.append(Splice(file.path, parameters.end_byte, end, text.encode()))
    return found
