"""`forgewright policy explain --run RUN`: for every decision of a run, what was asked, who decided it, and why."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from forgewright.cli.output import clean, one_line, say

if TYPE_CHECKING:
    from forgewright.journal.events import Decision, Record
    from forgewright.policy.decided import Decided, Word
    from forgewright.policy.explain import PolicyView
    from forgewright.policy.gate import CedarGate


def explain_run(args: argparse.Namespace) -> int:
    """1 if another set was named that would decide something otherwise."""
    from forgewright.policy.decided import decisions

    run, records, kept = asyncio.run(_read(args.home, args.of_run))
    sets = _Sets(args, kept)
    found = list(decisions(records, sets.gate_of))
    differing = [one for one in found if one.change is not None and not one.same_set]
    if args.json:
        for one in found:
            sys.stdout.write(msgspec.json.encode(_line(one, sets)).decode() + "\n")
        return 1 if differing else 0
    for one in found:
        _show(one, sets)
    denied = sum(not one.decision.permit for one in found)
    asked = sum(bool(one.words) for one in found)
    say(
        f"{run}: {len(found)} decisions, {len(found) - denied} permitted, {denied} denied, {asked} put to a person"
    )
    if differing:
        say(f"{len(differing)} would be decided otherwise by {sets.name(differing[0].explained_by)}")
    return 1 if differing else 0


class _Sets:
    """The policy sets at hand: the one that was named, those of the home's registry, and those that come along."""

    def __init__(self, args: argparse.Namespace, kept: Mapping[str, CedarGate]) -> None:
        from forgewright.cli.settings import load_settings, policies_of
        from forgewright.policy.gate import SETS, CedarGate

        self._only = bool(args.paths)
        entities = args.entities or ()
        paths: list[Path | str] | str = list(args.paths) if args.paths else policies_of(load_settings(args))
        self._first = CedarGate.load(paths, entities=entities)
        self._names = {str(self._first.digest): ", ".join(map(str, args.paths)) or "the configured set"}
        self._gates: dict[str, CedarGate] = {str(self._first.digest): self._first}
        for name, gate in (*((name, CedarGate.load(name)) for name in SETS), *kept.items()):
            self._names.setdefault(str(gate.digest), name)
            self._names.update({str(gate.digest): name} if name in SETS else {})
            self._gates.setdefault(str(gate.digest), gate)

    def gate_of(self, digest: str) -> CedarGate:
        """The set that was in force; a named one always, since then it is that one which is asked about."""
        return self._first if self._only else self._gates.get(digest, self._first)

    def name(self, digest: str) -> str:
        return self._names.get(digest, "a set that is not at hand") if digest else "no policy set"


async def _read(home: Path, name: str) -> tuple[str, list[Record], dict[str, CedarGate]]:
    """The run's id, its records, and the policy sets that the home's registry knows. Raises `NotFound`."""
    from forgewright.cli.runs import find_run
    from forgewright.core.errors import ForgewrightError
    from forgewright.core.ids import Digest
    from forgewright.journal.journal import open_journal
    from forgewright.policy.content import read_content
    from forgewright.wiring.registry import read_registry

    run = await find_run(home, name)
    journal = await open_journal(home)
    try:
        records = await journal.read(run)
        registry, _ = await read_registry(journal)
        kept = {}
        for proposal in registry.proposals() if registry.id else ():
            said = proposal.statement
            if said.subject == "policy":
                try:
                    data = await journal.store.blobs.get(Digest(said.content))
                    kept[f"version {said.number} of {said.name}"] = read_content(data, said.content).gate()
                except ForgewrightError:
                    continue  # it was never in force, or another release read it: it explains nothing here
        return run, records, kept
    finally:
        await journal.close()


def _line(one: Decided, sets: _Sets) -> dict[str, object]:
    fields = {name: getattr(one, name) for name in one.__struct_fields__}
    return {
        **fields,
        "permit": one.decision.permit,
        "policy_name": sets.name(one.policy),
        "same_set": one.same_set,
    }


def _show(one: Decided, sets: _Sets) -> None:
    attempt = one.attempt
    moment = time.strftime("%H:%M:%S", time.localtime(one.time / 1000))
    facts = " ".join(f"{name}={value}" for name, value in attempt.facts.items() if value)
    say(
        f"{one.sequence}  {moment}  {attempt.principal} {attempt.action} {one_line(attempt.resource, 80)}  {one_line(facts, 160)}"
    )
    say(f"    {_said(one.decision)}")
    for later in one.again:
        say(f"    decided again, since what was approved had changed: {_said(later)}")
    found = one.explanation
    if one.decision.by or not one.decision.permit:
        for view in found.determining:
            _show_policy(view)
        unseen = sorted(set(one.decision.by) - {view.id for view in found.determining})
        if one.same_set and unseen:
            say(f"      {', '.join(unseen)}: decided by facts that the journal does not keep")
        if not one.decision.permit and found.change:
            say("      " + clean(found.change).replace("\n", "\n      "))
        named = sets.name(one.policy)
        say(f"    by {named} {one.policy}")
        if not one.same_set:
            differs = f", which would decide otherwise: {one.change}" if one.change else ""
            say(f"    explained by {sets.name(one.explained_by)} {one.explained_by}{differs}")
    for word in one.words:
        say(f"    {_asked(word)}")
    for name, value in one.inputs.items():
        say(f"    {one_line(name, 80)}  {value}")
    say(f"    {one_line(one.outcome, 200)}")
    say(f"    record {one.index} of the log, {one.intent}")


def _show_policy(view: PolicyView) -> None:
    say(f"      {view.effect} {view.id}  {view.file}:{view.line}  {one_line(view.description, 100)}")
    for part in view.parts:
        say(f"        {'holds' if part.holds else 'fails'}  {one_line(part.text, 160)}")


def _said(decision: Decision) -> str:
    if not decision.permit:
        return f"denied by {', '.join(decision.by)}" if decision.by else "denied: no policy permits it"
    if not decision.by:
        return "permitted: the program that runs the engine handed it over itself"
    obliges = [f"tier {decision.tier} or stronger"] if decision.tier else []
    obliges += [f"the approval of {decision.approval}"] if decision.approval else []
    obliges += [f"{kind} taken out" for kind in decision.redact]
    obliges += [f"consent to {purpose}" for purpose in decision.consent]
    obliges += [f"{name} ≤ {number}" for name, number in decision.limits.items()]
    covered = f", given before ({decision.standing})" if decision.standing else ""
    return f"permitted by {', '.join(decision.by)}" + (
        f"; obliges {', '.join(obliges)}{covered}" if obliges else ""
    )


def _asked(word: Word) -> str:
    if not word.answer:
        return f"{word.to} was asked (record {word.sequence} of the run) and has not answered"
    said = one_line(word.answer, 120)
    return f"{word.to} was asked (record {word.sequence} of the run): {said}" + (
        f", by {word.by}" if word.by else ""
    )
