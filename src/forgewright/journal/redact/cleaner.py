"""Takes secrets out of values: structs, encoded JSON, bytes. What holds none comes back as the same object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from forgewright.journal.redact.redactor import Redactor

V = TypeVar("V")

CHARS_MIN = 6
"""Shorter texts hold no secret of any form."""
EXEMPT = frozenset({"opaque"})
"""Fields that go back to where they came from as they were, encrypted or signed by a provider."""


class Cleaner:
    """One for a process and a choice of kinds; rules are compiled as their keywords first occur."""

    def __init__(self, known: Iterable[str] = (), *, kinds: Sequence[str] = ("secrets",)) -> None:
        self.kinds = tuple(kinds)
        self._redactor = Redactor(known, kinds=kinds)
        self._known = tuple(known)
        self._suspects = self._redactor.suspects
        self._ways: dict[type, Callable[[Any], Any]] = {
            str: self.text,
            bytes: self.data,
            msgspec.Raw: self.raw,
            tuple: self._sequence,
            list: self._sequence,
            dict: self._mapping,
        }

    def with_kinds(self, kinds: Iterable[str]) -> Cleaner:
        """One that takes these out as well."""
        return Cleaner(self._known, kinds=tuple(dict.fromkeys((*self.kinds, *kinds))))

    def value(self, value: V) -> V:
        """`value` without secrets: any msgspec struct, built-in container, text, bytes or encoded JSON."""
        kind = type(value)
        way = self._ways.get(kind)
        if way is None:
            way = self._ways[kind] = self._way(kind)
        return way(value)  # type: ignore[no-any-return]  # each way returns what it was given, or its like

    def text(self, text: str) -> str:
        if len(text) < CHARS_MIN or not self._suspects(text):
            return text
        return self._redactor.redact(text).text

    def data(self, data: bytes) -> bytes:
        """Text in whatever encoding: bytes that are no UTF-8 stay as they are."""
        if len(data) < CHARS_MIN:
            return data
        text = data.decode("utf-8", "surrogateescape")
        clean = self._redactor.clean(text)
        return data if clean is text else clean.encode("utf-8", "surrogateescape")

    def json(self, data: bytes) -> bytes:
        """Encoded JSON: each text in it by itself, so that it stays JSON."""
        if not self._redactor.suspects(data.decode()):
            return data
        tree = msgspec.json.decode(data)
        clean = self.value(tree)
        return data if clean is tree else msgspec.json.encode(clean)

    def raw(self, raw: msgspec.Raw) -> msgspec.Raw:
        data = bytes(raw)
        clean = self.json(data)
        return raw if clean is data else msgspec.Raw(clean)

    def _way(self, kind: type) -> Callable[[Any], Any]:
        if issubclass(kind, msgspec.Struct):
            return self._struct(kind)
        return next((self._ways[base] for base in kind.__mro__ if base in (list, dict)), _same)

    def _struct(self, kind: type[msgspec.Struct]) -> Callable[[Any], Any]:
        names = tuple(name for name in kind.__struct_fields__ if name not in EXEMPT)
        value = self.value

        def way(struct: Any) -> Any:
            changed: dict[str, Any] = {}
            for name in names:
                found = getattr(struct, name)
                clean = value(found)
                if clean is not found:
                    changed[name] = clean
            return msgspec.structs.replace(struct, **changed) if changed else struct

        return way

    def _sequence(self, items: Any) -> Any:
        clean = [self.value(item) for item in items]
        if all(a is b for a, b in zip(clean, items, strict=True)):
            return items
        return type(items)(clean)

    def _mapping(self, items: dict[Any, Any]) -> dict[Any, Any]:
        clean = {self.value(key): self._named(key, item) for key, item in items.items()}
        same = len(clean) == len(items) and all(
            a is c and b is d for (a, b), (c, d) in zip(clean.items(), items.items(), strict=True)
        )
        return items if same else clean

    def _named(self, key: Any, item: Any) -> Any:
        """What stands under a name: `{"password": "…"}` is a secret by the name that it has."""
        if key in EXEMPT:
            return item
        if type(item) is str and type(key) is str:
            return self._redactor.assigned(key, item)
        return self.value(item)


def _same(value: V) -> V:
    return value
