"""The reference page of actions, facts, labels and annotations, made from their declarations."""

from __future__ import annotations

from forgewright.policy.obligations import ANNOTATIONS
from forgewright.policy.vocabulary import LABELS, STANDING, VOCABULARY, FactSpec


def page() -> str:
    """Markdown."""
    lines = [
        "# Actions, facts, labels and annotations of policies",
        "",
        "Made from the declarations in `forgewright.policy`; a test holds it equal to them. How to write policies: "
        "[policy.md](../policy.md).",
        "",
        "A fact without a default has to be asked for first: `context has lines && context.lines < 100`.",
    ]
    for action, spec in VOCABULARY.items():
        types = " or ".join(f"`{name}`" for name in spec.resources)
        lines += ["", f"## `{action}`", "", f"{spec.doc} Resource: {types}.", ""]
        lines += _table(spec.facts)
    lines += ["", "## Facts of every action", "", *_table(STANDING)]
    lines += ["", "## Labels that the gate gives", "", "| label | the thing touched … |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in LABELS.items()]
    lines += ["", "## Annotations", "", "| annotation | meaning |", "|---|---|"]
    lines += [f"| `@{name}` | {meaning} |" for name, meaning in ANNOTATIONS.items()]
    return "\n".join(lines) + "\n"


def _table(facts: tuple[FactSpec, ...]) -> list[str]:
    lines = ["| fact | type | default | what it is |", "|---|---|---|---|"]
    for fact in facts:
        default = "" if fact.default is None else f"`{_cedar(fact.default)}`"
        how = " Always computed by the gate." if fact.derived else ""
        lines.append(f"| `{fact.name}` | {fact.kind} | {default} | {fact.doc}{how} |")
    return lines


def _cedar(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "[]" if value == () else f'"{value}"' if isinstance(value, str) else str(value)
