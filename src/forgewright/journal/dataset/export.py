"""Writes a dataset: JSONL per split, and a card that says what is in it and what was left out.

Left out are: what the filters exclude, runs with data of a person who did not consent to training, and
examples that repeat another. Sealed values stay sealed, and secrets are taken out of every text.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from forgewright.core.errors import NotFound
from forgewright.core.ids import RunId
from forgewright.core.version import VERSION
from forgewright.journal.dataset.examples import Example, examples, subjects
from forgewright.journal.redact.redactor import Redactor
from forgewright.store.drivers.sqlite.errors import translate

if TYPE_CHECKING:
    from forgewright.journal.journal import Journal
    from forgewright.journal.privacy.privacy import Privacy

Form = Literal["chat", "completion"]
SPLITS = ("train", "validation", "test")
PURPOSE = "training"


class Filters(msgspec.Struct, frozen=True):
    runs: tuple[RunId, ...] = ()
    """These only; all where empty."""
    outcomes: tuple[str, ...] = ("passed",)
    licences: tuple[str, ...] = ()
    """SPDX expressions; any, also none, where empty."""


class Exported(msgspec.Struct, frozen=True):
    examples: dict[str, int]
    """Split → number."""
    left_out: dict[str, int]
    """Reason → number of examples (of runs, for consent)."""


async def export(
    journal: Journal, privacy: Privacy | None, folder: Path, *, form: Form, filters: Filters
) -> Exported:
    """Writes `train.jsonl`, `validation.jsonl`, `test.jsonl` and `README.md` into `folder`.

    Without `privacy` every run with sealed values is left out. Raises `NotFound`, `StoreFull`, `StoreError`.
    """
    redactor = Redactor()
    seen: set[str] = set()
    kept: Counter[str] = Counter()
    left: Counter[str] = Counter()
    runs = filters.runs or tuple(row.run for row in reversed(await journal.runs()))
    known = {row.run for row in await journal.runs()}
    lines: dict[str, list[bytes]] = {split: [] for split in SPLITS}
    for run in runs:
        if run not in known:
            raise NotFound(f"no run {run}", hint="`forgewright runs` lists them")
        if not await _consented(journal, privacy, run):
            left["no consent of a person in the run"] += 1
            continue
        async for example in examples(journal, run):
            reason = _excluded(example, filters, seen)
            if reason:
                left[reason] += 1
                continue
            seen.add(example.digest)
            kept[example.split] += 1
            lines[example.split].append(_line(example, form, redactor))
    _write(folder, lines, card(form, filters, kept, left))
    return Exported({split: kept[split] for split in SPLITS}, dict(left))


async def _consented(journal: Journal, privacy: Privacy | None, run: RunId) -> bool:
    for subject in await subjects(journal, run):
        if privacy is None or await privacy.consented(subject, PURPOSE) is None:
            return False
    return True


def _excluded(example: Example, filters: Filters, seen: set[str]) -> str:
    if example.outcome not in filters.outcomes:
        return f"outcome {example.outcome}"
    if filters.licences and example.licence not in filters.licences:
        return f"licence {example.licence or 'unknown'}"
    return "repeats another" if example.digest in seen else ""


def _line(example: Example, form: Form, redactor: Redactor) -> bytes:
    def clean(text: str) -> str:
        return redactor.redact(text).text

    context = [(said.role, clean(said.text)) for said in example.context] or [("user", clean(example.goal))]
    value: dict[str, Any]
    if form == "chat":
        messages = [{"role": role, "content": text} for role, text in context]
        value = {"messages": [*messages, {"role": "assistant", "content": clean(example.program)}]}
    else:
        prompt = "\n\n".join(f"### {role}\n{text}" for role, text in context)
        value = {"prompt": f"{prompt}\n\n### assistant\n", "completion": clean(example.program)}
    value["metadata"] = {
        "run": example.run,
        "sequence": example.sequence,
        "goal": clean(example.goal),
        "outcome": example.outcome,
        "run_outcome": example.run_outcome,
        "model": example.model,
        "licence": example.licence,
    }
    return msgspec.json.encode(value) + b"\n"


def card(form: Form, filters: Filters, kept: Counter[str], left: Counter[str]) -> str:
    """The data card, with the header that the Hugging Face Hub reads."""
    licence = filters.licences[0].lower() if len(filters.licences) == 1 else "other"
    files = "\n".join(f"      - split: {split}\n        path: {split}.jsonl" for split in SPLITS)
    rows = "\n".join(f"| {split} | {kept[split]} |" for split in SPLITS)
    out = (
        "\n".join(f"| {reason} | {number} |" for reason, number in sorted(left.items())) or "| nothing | 0 |"
    )
    shape = (
        '`{"messages": […], "metadata": {…}}`' if form == "chat" else '`{"prompt", "completion", "metadata"}`'
    )
    return f"""---
license: {licence}
task_categories: [text-generation]
tags: [code, agents, refactoring]
configs:
  - config_name: default
    data_files:
{files}
---

# Edits by programs

Each line is one edit that an agent made: what it was asked and saw, the program (in Forgewright's language of
code) that it wrote, and whether the tests that ran next passed. Form: {shape}.

| split | examples |
|---|---|
{rows}

Splits are by run: no run is in two of them.

## Left out

| reason | number |
|---|---|
{out}

Outcomes kept: {", ".join(filters.outcomes)}. Licences kept: {", ".join(filters.licences) or "any"}.

## How it was made

Read from a Forgewright {VERSION} journal. Examples with the same context and program were kept once. Runs with
personal data are in only where each person consented to `{PURPOSE}`, and has not been erased.
Secrets of published forms were replaced by `[redacted:…]`; no such list is complete, so look before you publish.
"""


def _write(folder: Path, lines: dict[str, Sequence[bytes]] | dict[str, list[bytes]], text: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for split, rows in lines.items():
            scratch = folder / f".{split}.jsonl.{os.getpid()}"
            scratch.write_bytes(b"".join(rows))
            os.replace(scratch, folder / f"{split}.jsonl")
        (folder / "README.md").write_text(text, encoding="utf-8")
    except OSError as error:
        raise translate(error, folder) from error
