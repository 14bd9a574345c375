"""Large tool results, set aside under the digest of their content: a preview stays, the rest is read on demand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256

import msgspec

from forgewright.agent.context.paging import Page, read_page
from forgewright.core.errors import ToolError
from forgewright.journal import events as ev
from forgewright.models.types import ToolResult
from forgewright.runtime.effects.tool import Given

HANDLE_CHARS = 12
PREVIEW_CHARS = 1_600
STUB_CHARS = 240
"""Of an old result, when room is needed."""

Load = Callable[[ev.Value], Awaitable[bytes]]


class Aside(msgspec.Struct, frozen=True):
    """A result that was set aside."""

    handle: str
    tool: str
    chars: int
    lines: int
    value: ev.Value
    """The text: in the receipt's own blob, or inline where it is small."""
    begin: str
    """How it begins, on one line."""


class SetAside:
    """All results of one conversation that were set aside, by handle.

    Only these can be read back: a digest that a model makes up, or found somewhere, opens nothing.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._known: dict[str, Aside] = {}
        self._shown: dict[int, tuple[ToolResult, Aside]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def put(self, result: ToolResult, stored: ev.Stored | None) -> Aside:
        """Takes a result in; `stored` is where the journal has it, if that is a blob."""
        text = result.text
        handle = sha256(text.encode("utf-8", "replace")).hexdigest()[:HANDLE_CHARS]
        value: ev.Value = stored or msgspec.Raw(msgspec.json.encode(text))
        begin = " ".join(text[:400].split())[:80]
        aside = Aside(handle, result.name, len(text), text.count("\n") + 1, value, begin)
        self._known[handle] = aside
        return aside

    def of(self, result: ToolResult) -> Aside | None:
        """What was set aside of a result that is a preview or a stub; by identity, since a text can lie."""
        found = self._shown.get(id(result))
        return found[1] if found is not None else None

    def preview(self, result: ToolResult, aside: Aside, chars: int = PREVIEW_CHARS) -> ToolResult:
        """The result as it stands in the conversation from here on: how it begins and ends, and where the rest is."""
        head, tail = result.text[: chars * 3 // 4], result.text[-(chars // 4) :]
        name = aside.handle
        note = (
            f"\n[… {aside.chars - len(head) - len(tail):,} of {aside.chars:,} characters ({aside.lines:,} lines) were"
            f' set aside as result {name}; read_result(result="{name}", start_line=…, end_line=…) reads lines of it,'
            f' read_result(result="{name}", pattern="…") finds lines in it …]\n'
        )
        return self._show(result, aside, head + note + tail)

    def stub(self, result: ToolResult, aside: Aside) -> ToolResult:
        """The same, as short as it can be."""
        note = f"[… {aside.chars:,} characters were set aside as result {aside.handle}; read_result reads them …]"
        return self._show(result, aside, f"{result.text[:STUB_CHARS]}\n{note}")

    def _show(self, result: ToolResult, aside: Aside, text: str) -> ToolResult:
        self._shown.pop(id(result), None)
        shown = msgspec.structs.replace(result, text=text)
        self._shown[id(shown)] = (shown, aside)
        return shown

    def listing(self, most: int | None = None) -> str:
        """One line for each, the newest last; with `most`, the largest only: small ones are easily got again."""
        known = list(self._known.values())
        if most is not None and len(known) > most:
            large = set(sorted(self._known, key=lambda handle: self._known[handle].chars)[-most:])
            known = [aside for aside in known if aside.handle in large]
        lines = [
            f"- {a.handle} {a.tool} ({a.chars:,} characters, {a.lines:,} lines): {a.begin}" for a in known
        ]
        if len(known) < len(self._known):
            lines.append(f"- … and {len(self._known) - len(known)} smaller ones; read_result() lists them")
        return "\n".join(lines)

    def find(self, handle: str) -> Aside:
        """By its handle, or the newest of the tool of that name. Raises `ToolError` with what there is."""
        name = handle.strip()
        found = self._known.get(name.removeprefix("sha256:")[:HANDLE_CHARS])
        if found is None:
            found = next((aside for aside in reversed(self._known.values()) if aside.tool == name), None)
        if found is None:
            there = self.listing(20) or "- none"
            raise ToolError(
                f"no result {handle[:80]!r} was set aside in this conversation; there are:\n{there}"
            )
        return found

    async def text(self, aside: Aside) -> str:
        """The whole text. Raises what the store raises."""
        given = msgspec.json.decode(await self._load(aside.value), type=Given | str)
        return given if isinstance(given, str) else given.text

    async def read(self, page: Page) -> str:
        """A part of one, or of the list of all. Raises `ToolError`."""
        if not page.result:
            return read_page(self.listing() or "nothing was set aside yet", page)
        return read_page(await self.text(self.find(page.result)), page)
