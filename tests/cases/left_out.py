"""Cases that are not counted, each with the reason. Only matters of taste, and records that lost their arguments."""

from __future__ import annotations

LEFT_OUT: dict[str, str] = {
    "ty/rename/rename_invalid_name": "the record lost the invalid name: it asks for a valid one",
    "ty/rename/rename_non_property_setter_decorator_from_decorated": (
        "expects that the first of two functions of one name keeps it while the decorator that names it changes: NameError"
    ),
}
