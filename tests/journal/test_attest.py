"""Attestations, verified by securesystemslib; and the provenance of lines over several edits."""

from __future__ import annotations

import argparse
import difflib
import json
from base64 import b64decode
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from forgewright.cli import provenance as command
from forgewright.core.errors import IntegrityError, NotFound, UsageError
from forgewright.core.ids import Digest, RunId, digest
from forgewright.journal import events as ev
from forgewright.journal.attest.attest import attest, attestations
from forgewright.journal.attest.dsse import key_id, open_envelope, sign_envelope
from forgewright.journal.attest.statements import PROVENANCE, TEST_RESULT
from forgewright.journal.bundle.export import export
from forgewright.journal.bundle.verification import verify
from forgewright.journal.journal import Journal, open_journal
from forgewright.journal.log.keys import PRIVATE, PUBLIC, read_signer
from forgewright.journal.log.notes import parse_verifier_key

RUN = RunId("01m7yaacgjqhba6k")
ALLOW = ev.Decision(by=("edits-are-fine",))
BASE = "one\ntwo\nthree\nfour\nfive\n"
FIRST = "zero\none\ntwo\nTHREE\nfour\nfive\n"
SECOND = "zero\none\nTHREE\nthree and a half\nfour\nfive\nsix\n"


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def diff(old: str, new: str, path: str) -> str:
    lines = difflib.unified_diff(old.splitlines(True), new.splitlines(True), f"a/{path}", f"b/{path}", n=3)
    return "renamed 2 names\n" + "".join(lines)


async def fill(journal: Journal) -> None:
    def edit(effect: str, old: str, new: str, program: str) -> list[ev.Event]:
        return [
            ev.EditAsked(
                effect,  # type: ignore[arg-type]
                ALLOW,
                raw(program),
                {"a.py": digest(old.encode())},
                {"a.py": digest(new.encode())},
                raw({"text": diff(old, new, "a.py"), "paths": ["a.py"]}),
            ),
            ev.EditAnswered(effect, ev.NULL),  # type: ignore[arg-type]
        ]

    def model(effect: str, name: str) -> list[ev.Event]:
        asked = ev.ModelAsked(effect, ALLOW, name, Digest("sha256:00"))  # type: ignore[arg-type]
        return [asked, ev.ModelAnswered(effect, raw("x"))]  # type: ignore[arg-type]

    def tests(effect: str, code: int) -> list[ev.Event]:
        asked = ev.ExecAsked(effect, ALLOW, ("pytest", "-q"), "container", "crun", "host", purpose="tests")  # type: ignore[arg-type]
        return [asked, ev.ExecAnswered(effect, raw({"code": code}))]  # type: ignore[arg-type]

    events: list[ev.Event] = [
        ev.RunStarted("swarm", "add things", raw({}), version="0.1.0", policy=Digest("sha256:11")),
        *model("1.1", "openai:first"),
        *edit("1.2", BASE, FIRST, "(replace …)"),
        *tests("1.3", 1),
        *model("2.1", "openai:second"),
        ev.ToolAsked("2.2", ALLOW, "edit", "reconcilable", answer="1.1"),  # type: ignore[arg-type]
        ev.QuestionAsked("2.approve-2.3.1", ALLOW, "owner", "may I?", about=raw({"effect": "2.3"})),  # type: ignore[arg-type]
        ev.QuestionAnswered("2.approve-2.3.1", raw("yes"), "olga"),  # type: ignore[arg-type]
        *edit("2.3", FIRST, SECOND, "(insert …)"),
        *tests("2.4", 0),
        ev.GitAsked("3.1", ALLOW, "commit", raw({"message": "m"})),  # type: ignore[arg-type]
        ev.GitAnswered("3.1", raw({"sha": "a" * 40, "effect": "3.1"})),  # type: ignore[arg-type]
        ev.RunFinished(raw("done")),
    ]
    await journal.append(RUN, events, expected=0)


async def test_what_a_run_made_is_attested_and_verifies_elsewhere(tmp_path: Path) -> None:
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey

    home = tmp_path / "home"
    journal = await open_journal(home)
    await fill(journal)
    records = await attest(journal, RUN)
    assert [record.event.predicate for record in records] == [PROVENANCE, TEST_RESULT]  # type: ignore[attr-defined]
    found = await attestations(journal, RUN)
    key = parse_verifier_key((home / PUBLIC).read_text())
    public = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(key.public), keyid=key_id(key))
    for event, envelope, statement in found:
        other = Envelope.from_dict(json.loads(envelope))
        assert other.verify([public], 1)
        assert other.payload == statement
        value = json.loads(statement)
        assert value["_type"] == "https://in-toto.io/Statement/v1"
        assert value["predicateType"] == event.predicate
        subjects = {item["name"]: item["digest"] for item in value["subject"]}
        assert subjects == {
            "a.py": {"sha256": digest(SECOND.encode())[7:]},
            "commit": {"gitCommit": "a" * 40},
        }
    slsa = json.loads(found[0][2])["predicate"]
    assert slsa["buildDefinition"]["externalParameters"]["goal"] == "add things"
    uris = [item["uri"] for item in slsa["buildDefinition"]["resolvedDependencies"]]
    assert uris == ["model:openai:first", "model:openai:second", "image:host"]
    assert slsa["runDetails"]["metadata"]["invocationId"] == RUN
    assert json.loads(found[1][2])["predicate"]["result"] == "PASSED"

    await export(journal, tmp_path / "b.tar", runs=[RUN])
    await journal.close()
    checked = verify(tmp_path / "b.tar", str(key))
    assert (checked.findings, checked.blobs) == ((), 2)


async def test_a_run_that_made_nothing_has_nothing_to_attest(tmp_path: Path) -> None:
    journal = await open_journal(tmp_path)
    with pytest.raises(NotFound):
        await attest(journal, RUN)
    await journal.append(RUN, [ev.RunStarted("g", "x", raw({}))], expected=0)
    with pytest.raises(UsageError):
        await attest(journal, RUN)
    await journal.close()


async def test_a_changed_envelope_is_refused(tmp_path: Path) -> None:
    journal = await open_journal(tmp_path)
    await journal.close()
    signer = read_signer(tmp_path / PRIVATE)
    envelope = sign_envelope(signer, b'{"a":1}')
    assert open_envelope(envelope, [signer.key]) == b'{"a":1}'
    value = json.loads(envelope)
    assert b64decode(value["payload"]) == b'{"a":1}'
    for changed in (
        {**value, "payload": "eyJhIjoyfQ=="},
        {**value, "payloadType": "text/plain"},
        {**value, "signatures": []},
        {**value, "signatures": [{"sig": "AAAA"}]},
        {"payload": 1},
    ):
        with pytest.raises(IntegrityError):
            open_envelope(json.dumps(changed).encode(), [signer.key])


def call(
    home: Path, root: Path, place: str, capsys: pytest.CaptureFixture[str], *more: str
) -> list[dict[str, object]]:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers(dest="command"))
    args = parser.parse_args(["provenance", place, "--root", str(root), *more])
    args.home, args.json = home, True
    assert command.run(args) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_each_line_is_traced_to_what_made_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import asyncio

    async def make() -> None:
        journal = await open_journal(tmp_path / "home")
        await fill(journal)
        await journal.close()

    asyncio.run(make())
    (tmp_path / "a.py").write_text(SECOND)
    lines = call(tmp_path / "home", tmp_path, "a.py", capsys)
    made = {line["text"]: line["origin"] and line["origin"]["effect"] for line in lines}  # type: ignore[index]
    assert made == {
        "zero": "1.2",
        "one": None,
        "THREE": "1.2",
        "three and a half": "2.3",
        "four": None,
        "five": None,
        "six": "2.3",
    }
    (line,) = call(tmp_path / "home", tmp_path, "a.py:1", capsys)
    origin = line["origin"]
    assert isinstance(origin, dict)
    assert (origin["model"], origin["tests_passed"], origin["policies"]) == (
        "openai:first",
        False,
        ["edits-are-fine"],
    )
    (line,) = call(tmp_path / "home", tmp_path, "a.py:7", capsys, "--run", RUN)
    origin = line["origin"]
    assert isinstance(origin, dict)
    assert origin["model"] == "openai:first"  # the tool call says whose answer made it
    assert (origin["approved_by"], origin["tests_passed"], origin["program"]) == ("olga", True, "(insert …)")

    (tmp_path / "a.py").write_text(SECOND + "seven\n")
    with pytest.raises(NotFound):
        call(tmp_path / "home", tmp_path, "a.py", capsys)
    with pytest.raises(NotFound):
        call(tmp_path / "home", tmp_path, "b.py", capsys)


@pytest.mark.parametrize("seed", range(30))
async def test_lines_are_followed_through_random_edits(tmp_path: Path, seed: int) -> None:
    """Every line carries the number of the edit that wrote it, so that the answer is known."""
    import random

    from forgewright.journal.attest.lineage import lineage

    rng = random.Random(seed)
    journal = await open_journal(None)
    await journal.append(RUN, [ev.RunStarted("g", "x", raw({}))], expected=0)
    lines = [f"base {i}" for i in range(rng.randrange(1, 12))]
    for number in range(6):
        old = list(lines)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(lines) + 1)
            lines[at : at + rng.randrange(3)] = [
                f"{number}.1 {rng.random()}" for _ in range(rng.randrange(3))
            ]
        before, after = "".join(f"{line}\n" for line in old), "".join(f"{line}\n" for line in lines)
        if before == after:
            continue
        effect = f"{number}.1"
        await journal.note(
            RUN,
            [
                ev.EditAsked(
                    effect,
                    ALLOW,
                    raw("p"),
                    {},
                    {"a": digest(after.encode())},
                    raw({"text": diff(before, after, "a")}),
                ),  # type: ignore[arg-type]
                ev.EditAnswered(effect, ev.NULL),  # type: ignore[arg-type]
            ],
        )
    content = "".join(f"{line}\n" for line in lines)
    for line in await lineage(journal, RUN, "a", content, digest(content.encode())):
        wrote = line.text.split()[0]
        assert (line.origin.effect if line.origin else "base") == wrote
