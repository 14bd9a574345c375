"""What a verification found, as a value."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from forgewright.core.errors import IntegrityError, NotFound

if TYPE_CHECKING:
    from forgewright.journal.bundle.verifier import Report


class Finding(msgspec.Struct, frozen=True):
    """One thing that does not hold."""

    message: str
    record: str
    """`record INDEX (run RUN, sequence N)`, or the file that is wrong."""


class Verification(msgspec.Struct, frozen=True):
    findings: tuple[Finding, ...]
    origin: str
    """Name of the log."""
    size: int
    """Records in the log whose head was verified."""
    root: str
    """Hexadecimal."""
    key: str
    """The key that signed."""
    pinned: bool
    """Whether that key was given by the caller, rather than taken from what was verified."""
    records: int
    """Records checked."""
    runs: int
    blobs: int

    @property
    def ok(self) -> bool:
        return not self.findings

    def check(self) -> None:
        """Raises `IntegrityError` with the first finding."""
        if self.findings:
            first = self.findings[0]
            more = f" (and {len(self.findings) - 1} more)" if len(self.findings) > 1 else ""
            raise IntegrityError(first.message + more, record=first.record, hint="do not rely on this copy")


def verify(
    path: Path, key: str | None = None, *, head: bytes | None = None, witnesses: Sequence[str] = ()
) -> Verification:
    """Verifies the bundle at `path` offline, with the log's verifier key or the key in the bundle; against a
    tree head seen before, and for the cosignatures of witnesses, where those are given.

    Raises `NotFound`; what is wrong with a bundle stands in the result.
    """
    from forgewright.journal.bundle.verifier import verify as run

    try:
        with open(path, "rb") as file:
            report = run(file, key, head=head, witnesses=witnesses)
    except OSError as error:
        raise NotFound(
            f"{path} could not be read: {error.strerror}", hint="give the path of a bundle"
        ) from None
    return of_report(report, pinned=key is not None)


def of_report(report: Report, *, pinned: bool) -> Verification:
    return Verification(
        findings=tuple(Finding(p.message, p.record) for p in report.problems),
        origin=report.origin,
        size=report.size,
        root=report.root.hex(),
        key=report.key,
        pinned=pinned,
        records=report.records,
        runs=len(report.runs),
        blobs=report.blobs,
    )
