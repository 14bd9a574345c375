"""`forgewright privacy`: whose data a home holds, and handing it over, holding it, or erasing it for good."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from forgewright.core.ids import RunId
    from forgewright.journal.journal import Journal
    from forgewright.journal.privacy.privacy import Privacy


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("privacy", help="persons' data: show, export, hold, erase, consent")
    commands = parser.add_subparsers(dest="privacy_command", required=True, metavar="COMMAND")

    commands.add_parser("subjects", help="the persons known, by pseudonym")

    export = commands.add_parser("export", help="all that is kept of a person, as JSON")
    export.add_argument("person")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="standard output if left out")

    erase = commands.add_parser("erase", help="destroy a person's key and values; there is no way back")
    erase.add_argument("person")
    erase.add_argument("--reason", required=True, help="stands in the certificate; name no person in it")
    erase.add_argument("--yes", action="store_true", help="do not ask")
    erase.add_argument(
        "--certificate", type=Path, metavar="FILE", help="write FILE.record and FILE.tlog-proof"
    )

    hold = commands.add_parser("hold", help="keep a person's data from being erased, or let it go again")
    hold.add_argument("person")
    hold.add_argument("--reason", required=True)
    hold.add_argument("--release", action="store_true")

    consent = commands.add_parser("consent", help="what a person's data may be used for")
    consent.add_argument("person")
    consent.add_argument("--purpose", required=True)
    consent.add_argument("--basis", default="consent", help="GDPR Art. 6(1); `consent` if left out")
    consent.add_argument("--version", default="", help="of the text that was agreed to")
    consent.add_argument("--expires", metavar="DATE", help="YYYY-MM-DD, UTC")
    consent.add_argument("--withdraw", action="store_true")


def run(args: argparse.Namespace) -> int:
    import asyncio

    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    from forgewright.journal.journal import open_journal
    from forgewright.journal.privacy.privacy import open_privacy

    journal = await open_journal(args.home)
    try:
        privacy = await open_privacy(journal)
        try:
            commands = {
                "subjects": _subjects,
                "export": _export,
                "erase": _erase,
                "hold": _hold,
                "consent": _consent,
            }
            return await commands[args.privacy_command](args, journal, privacy)
        finally:
            await privacy.close()
    finally:
        await journal.close()


async def _subjects(args: argparse.Namespace, journal: Journal, privacy: Privacy) -> int:
    found = await privacy.subjects()
    if args.json:
        _json(found)
        return 0
    for subject in found:
        held = await privacy.hold(subject.subject)
        print(f"{subject.subject}  {subject.values:>5} values  {'held  ' if held else ''}{subject.name}")
    return 0


async def _export(args: argparse.Namespace, journal: Journal, privacy: Privacy) -> int:
    data = await privacy.export(args.person)
    if args.output is None:
        print(data.decode())
    else:
        from forgewright.core.errors import StoreError

        try:
            args.output.touch(mode=0o600)
            args.output.write_bytes(data)
        except OSError as error:
            raise StoreError(f"{args.output} could not be written: {error.strerror}") from None
    return 0


async def _erase(args: argparse.Namespace, journal: Journal, privacy: Privacy) -> int:
    from forgewright.journal.log.proofs import prove_inclusion

    subject = await privacy.find(args.person)
    if not args.yes and not _confirmed(f"Erase all that is kept of {subject} ({args.person})?"):
        print("nothing was erased")
        return 1
    for run in await privacy.runs_for(subject):
        _remove_workspace(args.home, run)
    record = await privacy.erase(args.person, reason=args.reason)
    if args.certificate is not None:
        proof = await prove_inclusion(journal.store.journal, record.index, await journal.head())
        args.certificate.with_suffix(".record").write_bytes(record.data)
        args.certificate.with_suffix(".tlog-proof").write_text(str(proof))
    if args.json:
        print(record.data.decode())
    else:
        print(f"{subject} is erased; the certificate is record {record.index} of the log")
    return 0


def _remove_workspace(home: Path, run: RunId) -> None:
    """The run's copy of a repository, and its branch there, whose commits speak of what the person wanted."""
    from forgewright.core.errors import ForgewrightError
    from forgewright.swarm.workspace import Workspace

    try:
        Workspace.open(home, run).remove()
    except ForgewrightError as error:  # the erasure goes on; the repository may be gone for long
        import sys

        sys.stderr.write(f"warning: the branch of run {run} stays in its repository: {error.message}\n")


async def _hold(args: argparse.Namespace, journal: Journal, privacy: Privacy) -> int:
    act = privacy.release_hold if args.release else privacy.place_hold
    record = await act(args.person, args.reason)
    print(f"record {record.index}: {'released' if args.release else 'held'}")
    return 0


async def _consent(args: argparse.Namespace, journal: Journal, privacy: Privacy) -> int:
    if args.withdraw:
        record = await privacy.withdraw(args.person, args.purpose)
        print(f"record {record.index}: withdrawn")
        return 0
    record = await privacy.consent(
        args.person,
        args.purpose,
        basis=args.basis,
        version=args.version,
        expires=_milliseconds(args.expires),
    )
    print(f"record {record.index}: recorded")
    return 0


def _milliseconds(date: str | None) -> int | None:
    from datetime import UTC, datetime

    from forgewright.core.errors import UsageError

    if date is None:
        return None
    try:
        return int(datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        raise UsageError(f"expected a date YYYY-MM-DD, found {date!r}") from None


def _confirmed(question: str) -> bool:
    try:
        return input(f"{question} There is no way back. [yes/NO] ").strip() == "yes"
    except EOFError:
        return False


def _json(value: Any) -> None:
    import msgspec

    print(msgspec.json.encode(value).decode())
