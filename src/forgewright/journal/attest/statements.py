"""What can be stated of a run, as in-toto statements: how its products came to be, and how their tests ended.

Statement: in-toto Statement v1. Predicates: SLSA provenance v1, in-toto test-result v0.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from forgewright.core.ids import Digest
from forgewright.core.version import VERSION
from forgewright.journal import events as ev

STATEMENT = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
PROJECT = "https://github.com/forgewright/forgewright"
BUILD_TYPE = f"{PROJECT}/blob/main/docs/journal.md#run-v1"


class Products(msgspec.Struct, frozen=True):
    """What a run made, read from its records."""

    subjects: dict[str, Digest]
    """Files as the last edits left them, artifacts, and commits (`gitCommit:…`)."""
    models: dict[str, int]
    """Model → how often it was asked."""
    images: dict[str, str]
    """Sandbox image → the tier it ran in."""
    tests: tuple[tuple[ev.ExecAsked, ev.ExecAnswered], ...]


def products(records: Sequence[ev.Record], commits: Mapping[str, str]) -> Products:
    """`commits`: effect → commit, of the answered commits."""
    asked: dict[str, ev.Asked] = {}
    subjects: dict[str, Digest] = {}
    models: dict[str, int] = {}
    images: dict[str, str] = {}
    tests = []
    for record in records:
        event = record.event
        if isinstance(event, ev.Asked):
            asked[event.effect] = event
        if isinstance(event, ev.EditAnswered) and isinstance(edit := asked.get(event.effect), ev.EditAsked):
            for path, after in edit.after.items():
                if after is None:
                    subjects.pop(path, None)
                else:
                    subjects[path] = after
        elif isinstance(event, ev.ExecAnswered) and isinstance(run := asked.get(event.effect), ev.ExecAsked):
            images[run.image] = run.tier
            if run.purpose == "tests":
                tests.append((run, event))
        elif isinstance(event, ev.ModelAnswered) and isinstance(
            model := asked.get(event.effect), ev.ModelAsked
        ):
            models[model.model] = models.get(model.model, 0) + 1
        elif isinstance(event, ev.ArtifactMade) and event.content.blob.startswith("sha256:"):
            subjects[event.name] = event.content.blob
        elif isinstance(event, ev.GitAnswered) and event.effect in commits:
            subjects["commit"] = Digest(f"gitCommit:{commits[event.effect]}")
    return Products(subjects, models, images, tuple(tests))


def statement(subjects: Mapping[str, Digest], predicate_type: str, predicate: Any) -> bytes:
    """The statement as JSON."""
    return msgspec.json.encode(
        {
            "_type": STATEMENT,
            "subject": [
                {"name": name, "digest": dict([digest.split(":", 1)])}
                for name, digest in sorted(subjects.items())
            ],
            "predicateType": predicate_type,
            "predicate": predicate,
        }
    )


def provenance(
    started: ev.Record, ended: ev.Record, made: Products, *, origin: str, size: int, root: bytes
) -> dict[str, Any]:
    """SLSA v1 provenance of a run; the journal's tree head stands among the by-products."""
    first = started.event
    assert isinstance(first, ev.RunStarted)
    said = {"goal": first.goal, "options": first.options} if not first.subject else {"subject": first.subject}
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"graph": first.graph, **said},
            "internalParameters": {"policy": first.policy or ""},
            "resolvedDependencies": [
                *({"uri": f"model:{name}", "annotations": {"calls": n}} for name, n in made.models.items()),
                *(
                    {"uri": f"image:{name}", "annotations": {"tier": tier}}
                    for name, tier in made.images.items()
                ),
            ],
        },
        "runDetails": {
            "builder": {"id": PROJECT, "version": {"forgewright": first.version or VERSION}},
            "metadata": {
                "invocationId": started.run,
                "startedOn": _time(started.time),
                "finishedOn": _time(ended.time),
            },
            "byproducts": [
                {
                    "name": "journal",
                    "digest": {"sha256": root.hex()},
                    "annotations": {"origin": origin, "size": size},
                }
            ],
        },
    }


def test_result(asked: ev.ExecAsked, code: int) -> dict[str, Any]:
    """in-toto test-result v0.1 of one run of the tests."""
    argv = msgspec.json.encode(asked.argv)
    return {
        "result": "PASSED" if code == 0 else "FAILED",
        "configuration": [
            {
                "name": "command",
                "digest": {"sha256": sha256(argv).hexdigest()},
                "annotations": {"argv": list(asked.argv), "image": asked.image, "tier": asked.tier},
            }
        ],
    }


def _time(milliseconds: int) -> str:
    """RFC 3339, as the specification asks."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
