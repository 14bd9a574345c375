"""`forgewright audit`: export, verify, prove, show, fsck, keys. What an auditor needs, and nothing that writes
to the log but the key's own events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Coroutine

    from forgewright.journal.bundle.verification import Verification
    from forgewright.journal.events import Record


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("audit", help="export, verify and prove what the journal holds")
    commands = parser.add_subparsers(dest="audit_command", required=True, metavar="COMMAND")

    export = commands.add_parser("export", help="write a bundle that anybody can verify offline")
    what = export.add_mutually_exclusive_group(required=True)
    what.add_argument("runs", nargs="*", default=[], metavar="RUN", help="runs to export")
    what.add_argument("--all", action="store_true", help="everything")
    what.add_argument("--since", type=int, metavar="INDEX", help="everything from this record of the log on")
    export.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the bundle (a tar file)"
    )

    verify = commands.add_parser(
        "verify", help="verify a bundle offline, or without one the home's own journal"
    )
    verify.add_argument(
        "bundle", type=Path, nargs="?", help="without it: the journal of the home, as fsck does"
    )
    verify.add_argument("--key", help="the log's verifier key, or a file that holds it")
    verify.add_argument("--head", type=Path, help="a tree head of this log that you saw before")
    verify.add_argument(
        "--witness", action="append", default=[], help="verifier key of a witness to insist on"
    )

    prove = commands.add_parser("prove", help="prove that a record is in the log (C2SP tlog-proof)")
    prove.add_argument("run", metavar="RUN")
    prove.add_argument("sequence", type=int, nargs="?", help="record of the run; its last if left out")
    prove.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write FILE.record and FILE.tlog-proof"
    )

    trace = commands.add_parser("trace", help="a run as OpenTelemetry spans (OTLP/JSON)")
    trace.add_argument("run", metavar="RUN")
    trace.add_argument("--endpoint", help="send them to this collector, such as http://127.0.0.1:4318")
    trace.add_argument("--follow", action="store_true", help="go on sending as the run goes on")

    attest = commands.add_parser(
        "attest", help="sign what a run made (in-toto: SLSA provenance, test result)"
    )
    attest.add_argument("run", metavar="RUN")
    attest.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="also write the DSSE envelopes here"
    )

    show = commands.add_parser("show", help="print the records of a run")
    show.add_argument("run", metavar="RUN")
    show.add_argument("--after", type=int, default=0, metavar="SEQUENCE")
    show.add_argument("--follow", action="store_true", help="go on as records come")

    gc = commands.add_parser("gc", help="remove large values that nothing refers to any more")
    gc.add_argument(
        "--older-than", type=float, default=3600.0, metavar="SECONDS", help="leave younger ones alone"
    )

    witness = commands.add_parser("witness", help="have the newest tree head cosigned (C2SP tlog-witness)")
    witness.add_argument("url", help="the witness's submission prefix")
    witness.add_argument("--key", required=True, help="the witness's verifier key, or a file that holds it")

    serve = commands.add_parser("serve-witness", help="be a witness for other homes' logs")
    serve.add_argument(
        "--folder", type=Path, required=True, help="where its key and what it cosigned are kept"
    )
    serve.add_argument("--name", required=True, help="its name, such as witness.example/w1")
    serve.add_argument("--log", action="append", required=True, help="verifier key of a log, or its file")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=7380)

    keys = commands.add_parser("keys", help="the keys that sign the log")
    acts = keys.add_subparsers(dest="keys_command", required=True, metavar="COMMAND")
    acts.add_parser("list", help="the present key and those before it")
    acts.add_parser("rotate", help="a new key, for which the present one vouches")
    revoke = acts.add_parser("revoke", help="record that an old key is not to be believed any more")
    revoke.add_argument("key")
    revoke.add_argument("--reason", required=True)

    fsck = commands.add_parser("fsck", help="hold every stored record against the tree and its signed head")
    fsck.add_argument("--key", help="the log's verifier key, or a file that holds it")


def run(args: argparse.Namespace) -> int:
    """0 when it is as it should be; 1 when a verification found something."""
    import asyncio

    if args.audit_command == "verify" and args.bundle is not None:
        from forgewright.journal.bundle.verification import verify

        head = None if args.head is None else _read(args.head)
        witnesses = [_key(witness) or "" for witness in args.witness]
        found = verify(args.bundle, _key(args.key), head=head, witnesses=witnesses)
        return _report(found, args.json)
    if args.audit_command in ("fsck", "verify"):
        from forgewright.journal.bundle.fsck import verify_home

        return _report(verify_home(args.home, _key(args.key)), args.json)
    if args.audit_command == "serve-witness":
        return _serve_witness(args)
    commands = {
        "export": _export,
        "prove": _prove,
        "show": _show,
        "witness": _witness,
        "keys": _keys,
        "attest": _attest,
        "trace": _trace,
        "gc": _gc,
    }
    work: Coroutine[Any, Any, int] = commands[args.audit_command](args)
    return asyncio.run(work)


async def _export(args: argparse.Namespace) -> int:
    from forgewright.core.ids import RunId
    from forgewright.journal.bundle.export import export
    from forgewright.journal.journal import open_journal

    journal = await open_journal(args.home)
    try:
        runs = [RunId(name) for name in args.runs] or None
        done = await export(journal, args.output, runs=runs, since=args.since)
    finally:
        await journal.close()
    if args.json:
        _json(done)
    else:
        print(f"{done.path}: {done.records} records of {done.runs} runs, {done.blobs} blobs")
        print(f"verify it: forgewright audit verify {done.path} --key {args.home / 'keys/log.pub'}")
    return 0


async def _prove(args: argparse.Namespace) -> int:
    from forgewright.core.errors import NotFound
    from forgewright.core.ids import RunId
    from forgewright.journal.journal import open_journal
    from forgewright.journal.log.proofs import prove_inclusion

    journal = await open_journal(args.home)
    try:
        run_id = RunId(args.run)
        sequence = args.sequence
        if sequence is None:
            sequence = next((row.sequence for row in await journal.runs() if row.run == run_id), 0)
        found = await journal.read(run_id, after=sequence - 1, limit=1)
        if not found or found[0].sequence != sequence:
            raise NotFound(f"run {run_id} has no record {sequence}", hint="`forgewright runs` lists the runs")
        proof = await prove_inclusion(journal.store.journal, found[0].index, await journal.head())
    finally:
        await journal.close()
    if args.output is not None:
        args.output.with_suffix(".record").write_bytes(found[0].data)
        args.output.with_suffix(".tlog-proof").write_text(str(proof))
        print(f"{args.output.with_suffix('.record')} and {args.output.with_suffix('.tlog-proof')}")
    else:
        print(str(proof), end="")
    return 0


async def _show(args: argparse.Namespace) -> int:
    from forgewright.core.errors import NotFound
    from forgewright.core.ids import RunId
    from forgewright.journal.journal import open_journal

    journal = await open_journal(args.home)
    try:
        run_id = RunId(args.run)
        if args.follow:
            async for record in journal.follow(run_id, after=args.after):
                _record(record, args.json)
            return 0
        records = await journal.read(run_id, after=args.after)
        if not records and not await journal.read(run_id, limit=1):
            raise NotFound(f"no run {run_id}", hint="`forgewright runs` lists them")
        for record in records:
            _record(record, args.json)
    finally:
        await journal.close()
    return 0


async def _witness(args: argparse.Namespace) -> int:
    from forgewright.journal.journal import open_journal
    from forgewright.journal.log.witnessing import WitnessPlace, ask_witnesses

    journal = await open_journal(args.home)
    try:
        head = await ask_witnesses(journal, [WitnessPlace(args.url, _key(args.key) or "")])
    finally:
        await journal.close()
    print(head.data.decode(), end="")
    return 0


async def _gc(args: argparse.Namespace) -> int:
    from forgewright.journal.garbage import collect
    from forgewright.journal.journal import open_journal

    journal = await open_journal(args.home)
    try:
        done = await collect(journal, older_than_seconds=args.older_than)
    finally:
        await journal.close()
    if args.json:
        _json(done)
    else:
        print(f"{done.removed} removed ({done.bytes:,} bytes), {done.kept} kept")
    return 0


async def _trace(args: argparse.Namespace) -> int:
    import asyncio

    from forgewright.core.errors import NotFound, UsageError
    from forgewright.core.ids import RunId
    from forgewright.journal.journal import open_journal
    from forgewright.journal.traces.otlp import encode, send
    from forgewright.journal.traces.spans import SpanBuilder

    if args.follow and not args.endpoint:
        raise UsageError("--follow needs somewhere to send to", hint="add --endpoint URL")
    run_id = RunId(args.run)
    builder = SpanBuilder(run_id)
    journal = await open_journal(args.home)
    try:
        if args.follow:
            async for record in journal.follow(run_id):
                if ended := builder.add(record):
                    await asyncio.to_thread(send, args.endpoint, ended)
            return 0
        records = await journal.read(run_id)
        if not records:
            raise NotFound(f"no run {run_id}", hint="`forgewright runs` lists them")
        spans = [span for record in records for span in builder.add(record)]
    finally:
        await journal.close()
    if args.endpoint:
        await asyncio.to_thread(send, args.endpoint, spans)
        print(f"{len(spans)} spans sent")
    else:
        print(encode(spans).decode())
    return 0


async def _attest(args: argparse.Namespace) -> int:
    from forgewright.core.ids import RunId
    from forgewright.journal.attest.attest import attest, attestations
    from forgewright.journal.journal import open_journal

    journal = await open_journal(args.home)
    try:
        for record in await attest(journal, RunId(args.run)):
            print(f"record {record.index}: {record.event.predicate}")  # type: ignore[attr-defined]  # AttestationMade
        if args.output is not None:
            args.output.mkdir(parents=True, exist_ok=True)
            for event, envelope, _ in await attestations(journal, RunId(args.run)):
                name = event.predicate.split("/")[-2]
                (args.output / f"{args.run}.{name}.intoto.json").write_bytes(envelope)
    finally:
        await journal.close()
    return 0


def _serve_witness(args: argparse.Namespace) -> int:
    from forgewright.journal.log.notes import parse_verifier_key
    from forgewright.journal.log.witness import open_witness
    from forgewright.journal.log.witnessing import serve

    logs = [parse_verifier_key(_key(log) or "") for log in args.log]
    witness = open_witness(args.folder, args.name, logs)
    server = serve(witness, args.host, args.port)
    print(f"{witness.key}\nlistening on http://{args.host}:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    finally:
        server.server_close()
    return 0


async def _keys(args: argparse.Namespace) -> int:
    from forgewright.journal.journal import open_journal
    from forgewright.journal.log.keys import trusted_keys

    journal = await open_journal(args.home)
    try:
        if args.keys_command == "rotate":
            record = await journal.rotate_key()
            print(f"record {record.index}: the log is signed by another key now")
        elif args.keys_command == "revoke":
            record = await journal.revoke_key(args.key, args.reason)
            print(f"record {record.index}: {args.key} is revoked")
        for at, key in enumerate(trusted_keys(args.home)):
            print(f"{key}{'' if at else '  (signs now)'}")
    finally:
        await journal.close()
    return 0


def _record(record: Record, as_json: bool) -> None:
    if as_json:
        print(record.data.decode())
        return
    from datetime import UTC, datetime

    import msgspec

    event: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(record.event))
    kind = event.pop("kind")
    time = datetime.fromtimestamp(record.time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    rest = msgspec.json.encode(event).decode()
    short = rest if len(rest) <= 160 else rest[:157] + "…"
    print(f"{record.sequence:>5}  #{record.index:<7} {time}Z  {record.actor:<12} {kind:<18} {short}")


def _report(found: Verification, as_json: bool) -> int:
    if as_json:
        _json(found)
        return 0 if found.ok else 1
    for finding in found.findings:
        print(f"WRONG  {finding.message}")
    if not found.ok:
        return 1
    print(f"verified: {found.records} records of {found.runs} runs, {found.blobs} blobs")
    print(f"tree:     {found.origin}, {found.size} records, root {found.root}")
    print(f"key:      {found.key}" + ("" if found.pinned else "  (not given with --key: whole, but whose?)"))
    return 0


def _key(text: str | None) -> str | None:
    if text is not None and "+" not in text:
        from forgewright.core.errors import NotFound

        try:
            return Path(text).read_text().strip()
        except OSError as error:
            raise NotFound(f"the key file {text} could not be read: {error.strerror}") from None
    return text


def _read(path: Path) -> bytes:
    from forgewright.core.errors import NotFound

    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFound(f"{path} could not be read: {error.strerror}") from None


def _json(value: Any) -> None:
    import msgspec

    print(msgspec.json.encode(value).decode())
