"""Asks the person at the terminal what a run wants to know; without an answer the run is parked."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from forgewright.cli.output import clean

if TYPE_CHECKING:
    from forgewright.cli.live import View
    from forgewright.runtime.engine import OnAsk
    from forgewright.runtime.questions import Question

TRIES = 3
RULINGS = "yes · yes for this run · no [: why] · edit (other arguments) · answer (the result yourself) · empty: later"


def asker(view: View) -> OnAsk:
    """An engine's `on_ask` that stops the view, asks, and lets it go on."""
    lock = asyncio.Lock()

    async def ask(question: Question) -> Any:
        async with lock:
            view.__exit__()
            try:
                return await asyncio.to_thread(_ask, question)
            finally:
                view.__enter__()

    return ask


def _ask(question: Question) -> Any:
    """None for an empty answer: the run is parked, and `forgewright answer` takes it later."""
    return _ruling(question) if question.approval else _answer(question)


def _answer(question: Question) -> Any:
    from forgewright.core.errors import UsageError
    from forgewright.runtime.questions import read_answer

    offered = f" [{'/'.join(question.choices)}]" if question.choices else ""
    if question.form:
        offered = f" [{_kind(question.form)}]"
    for _ in range(TRIES):
        said = _line(f"? {clean(question.text)}{offered} (empty: later) ")
        if not said:
            return None
        try:
            return read_answer(said, question)
        except UsageError as error:
            sys.stdout.write(f"  {clean(error.message)}\n")
    return None


def _ruling(question: Question) -> Any:
    from forgewright.core.errors import UsageError

    sys.stdout.write(f"? {clean(question.text)}\n{details(question)}")
    may = tuple(question.about["may"])
    offered = " · ".join(
        part
        for part in RULINGS.split(" · ")
        if part.split()[0] not in ("edit", "answer") or part.split()[0] in may
    )
    for _ in range(TRIES):
        said = _line(f"  {offered} ")
        if not said:
            return None
        try:
            return _ruled(said, may)
        except UsageError as error:
            sys.stdout.write(f"  {clean(error.message)}\n")
    return None


def _ruled(said: str, may: tuple[str, ...]) -> Any:
    from forgewright.core.errors import UsageError
    from forgewright.runtime.approvals import read_ruling

    word = said.lower()
    if word in ("yes for this run", "always"):
        return {"do": "approve", "remember": {}}
    if word in ("edit", "e") and "edit" in may:
        import msgspec

        try:
            ruling: Any = {"do": "edit", "arguments": msgspec.json.decode(_line("  arguments, as JSON: "))}
        except msgspec.DecodeError as error:
            raise UsageError(f"that is no JSON: {error}") from error
    elif word in ("answer", "a") and "answer" in may:
        ruling = {"do": "answer", "result": _line("  its result: ")}
    elif word in ("yes", "y", "no", "n") or word.startswith("no:"):
        ruling = said
    else:
        raise UsageError(f"{said!r} is no ruling")
    read_ruling(ruling, may)
    return ruling


def details(question: Question) -> str:
    """What an approval is about: arguments, what is known of their origin, the policy."""
    import msgspec

    about = question.about
    lines = [
        f"    {name}: {clean(value if isinstance(value, str) else msgspec.json.encode(value).decode())}"
        for name, value in about.get("arguments", {}).items()
    ]
    facts = about.get("facts", {})
    suspect = [
        f"{name}: {', '.join(facts[name])}"
        for name in ("untrusted", "addresses", "unplanned")
        if facts.get(name)
    ]
    if facts.get("plan", "none") != "none":
        suspect.append(f"{facts['plan']} the plan")
    if suspect:
        lines.append(f"    ! {clean('; '.join(suspect))}")
    return "".join(line + "\n" for line in lines)


def _kind(form: Any) -> str:
    import msgspec

    kind = form.get("type")
    if kind == "boolean":
        return "yes/no"
    return (
        str(kind)
        if isinstance(kind, str) and kind != "object"
        else f"JSON: {msgspec.json.encode(form).decode()[:300]}"
    )


def _line(prompt: str) -> str:
    sys.stdout.write(prompt)
    sys.stdout.flush()
    return sys.stdin.readline().strip()
