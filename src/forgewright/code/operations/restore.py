"""Gives back the exact bytes that a file had: what undo programs consist of."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from forgewright.code.operations.base import Example, Operation, Outcome, Scene
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused
from forgewright.core.ids import digest


class Piece(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Bytes to put in the place of others."""

    start: Annotated[int, Meta(ge=0, description="First byte that is replaced.")]
    end: Annotated[int, Meta(ge=0, description="Byte after the last that is replaced.")]
    text: Annotated[str, Meta(description="What stands there instead.")] = ""
    base64: Annotated[str, Meta(description="The same for bytes that are no UTF-8.")] = ""

    @property
    def data(self) -> bytes:
        from base64 import b64decode

        return b64decode(self.base64) if self.base64 else self.text.encode("utf-8", "surrogatepass")


class Restore(Operation, frozen=True, kw_only=True):
    """Give a file back the bytes it had. Undo programs are made of this.

    Without `pieces` the file is deleted. Refused if the file is not as the digest `found` says, or
    the result not as `gives` says.
    """

    path: Annotated[str, Meta(description="The file.")]
    found: Annotated[
        str, Meta(description="Digest of the file as it has to be now; empty: there is none.")
    ] = ""
    pieces: Annotated[tuple[Piece, ...], Meta(description="What to replace, by byte offsets, in order.")] = ()
    gives: Annotated[str, Meta(description="Digest of the file afterwards.")] = ""

    group: ClassVar[str] = "files"
    checked: ClassVar[bool] = False
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(restore path: 'a.py' found: 'sha256:9c9f66510bebe4e0bb39f8ec9eb29e76')",
            before={"a.py": "x = 1\n"},
            refused="is not as the undo program left it",
            note="A file that was changed meanwhile is left alone.",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        there = scene.project.exists(self.path)
        now = digest(scene.project.source(self.path).data) if there else ""
        if now != self.found:
            raise EditRefused(
                f"{self.path} is not as the undo program left it: expected {self.found or 'no file'}, "
                f"found {now or 'no file'}",
                hint="somebody changed it since; undo that first, or restore it by hand",
            )
        if not self.gives:
            return Outcome(delete=(self.path,))
        data = scene.project.source(self.path).data if there else b""
        out: list[bytes] = []
        at = 0
        for piece in self.pieces:
            out.extend((data[at : piece.start], piece.data))
            at = piece.end
        result = b"".join((*out, data[at:]))
        if digest(result) != self.gives:
            raise EditRefused(
                f"the pieces for {self.path} do not give {self.gives}", hint="the program was altered"
            )
        if not there:
            return Outcome(create={self.path: result})
        splices = tuple(Splice(self.path, piece.start, piece.end, piece.data) for piece in self.pieces)
        return Outcome(splices=splices)
