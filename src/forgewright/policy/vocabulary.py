"""The words that policies are written in: actions, the resources they touch, the facts known of them.

Declared once. The Cedar schema that policies are validated against, the conversion of an attempt's facts
and the reference table of the documentation all come from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from forgewright.policy.types import Action, Fact

ACTIONS: tuple[str, ...] = get_args(Action)
TIERS = ("wasm", "container", "gvisor", "microvm")
"""Sandbox tiers, weakest first."""

Kind = Literal["String", "Long", "Bool", "Set<String>"]


class FactSpec(msgspec.Struct, frozen=True):
    """A fact of an action. With a default it can be used as it is (`context.purpose == "tests"`); without
    one a policy has to ask first (`context has lines && context.lines < 100`), and Cedar's validator
    insists on it, because no value would be safe to assume."""

    name: str
    kind: Kind
    doc: str
    default: Fact | None = None
    derived: bool = False
    """Always computed by the gate from the resource; what the caller says of it is not looked at."""


class ActionSpec(msgspec.Struct, frozen=True):
    resources: tuple[str, ...]
    """Entity types; the first is the usual one."""
    doc: str
    facts: tuple[FactSpec, ...] = ()


_LABELS = FactSpec(
    "labels", "Set<String>", "What the thing touched is: see the table of labels; callers may add some.", ()
)
_PATH = (
    FactSpec("path", "String", "The path, relative to the work tree, normalised.", "", derived=True),
    FactSpec("name", "String", "Its last component.", "", derived=True),
    FactSpec("suffix", "String", "Its suffix in lower case with the dot, or nothing.", "", derived=True),
)

_TRACED = (
    FactSpec("tainted", "Bool", "Untrusted content was read before the model made the call."),
    FactSpec(
        "plan",
        "String",
        "`inside` the locked plan, `partly` (see `unplanned`), `outside`; or `none` was stated.",
    ),
    FactSpec("untrusted", "Set<String>", "Arguments with words or values of untrusted or unknown origin."),
    FactSpec("composed", "Set<String>", "Arguments put together from trusted words, none of them one value."),
    FactSpec("parties", "Set<String>", "Arguments whose values name a party, as the tool vouches for it."),
    FactSpec(
        "addresses", "Set<String>", "Arguments with a link, e-mail address or account from no trusted source."
    ),
    FactSpec("unplanned", "Set<String>", "Arguments that do not come from where the plan says."),
    FactSpec("sources", "Set<String>", "`ARGUMENT:SOURCE`: `to:user`, `to:contacts.email`, `body:unknown` …"),
)
"""Said where value provenance is traced. They have no defaults: a policy asks `context has untrusted` first,
and where nothing is traced its condition is not met."""
_SUBJECT = (
    FactSpec("subject", "Bool", "The run is for a person (`run --subject`).", False),
    FactSpec("consents", "Set<String>", "The purposes that this person consents to now.", ()),
)

VOCABULARY: Mapping[str, ActionSpec] = {
    "model": ActionSpec(
        ("Model",),
        "Call a language model.",
        (
            FactSpec("provider", "String", "What stands before the colon in the model's name.", ""),
            FactSpec("input_tokens", "Long", "Size of the request, estimated."),
            FactSpec("state", "String", "Its state in the registry, where there is one.", ""),
            _LABELS,
            *_SUBJECT,
        ),
    ),
    "tool": ActionSpec(
        ("Tool",),
        "Call a tool.",
        (
            FactSpec("recovery", "String", "`pure`, `idempotent`, `reconcilable` or `unsafe`.", "unsafe"),
            FactSpec(
                "server",
                "String",
                "The MCP server of an `mcp:SERVER/TOOL`; nothing for a local function.",
                "",
            ),
            FactSpec("state", "String", "Its state in the registry, where there is one.", ""),
            *_TRACED,
            _LABELS,
            *_SUBJECT,
        ),
    ),
    "edit": ActionSpec(
        ("Path",),
        "Change, create or delete a file of the work tree. Asked once for each path.",
        (
            *_PATH,
            FactSpec("operations", "Set<String>", "Names of the code operations that change it.", ()),
            FactSpec("lines", "Long", "Changed lines of the whole edit."),
            FactSpec("files", "Long", "Changed files of the whole edit."),
            _LABELS,
            *_SUBJECT,
        ),
    ),
    "exec": ActionSpec(
        ("Command",),
        "Run a command in a sandbox.",
        (
            FactSpec("purpose", "String", "`tests`, `build`, `lint`, `shell` …; else the resource.", ""),
            FactSpec("program", "String", "Base name of the program.", ""),
            FactSpec("argv", "Set<String>", "The arguments, unordered.", ()),
            FactSpec("command", "String", "The arguments joined by spaces, for `like`.", ""),
            FactSpec("image", "String", "Name of the image.", "host"),
            FactSpec(
                "image_digest",
                "String",
                "Its digest; nothing for `host`, and where it is not in the cache.",
                "",
            ),
            FactSpec("image_state", "String", "Its state in the registry of images.", "unknown"),
            FactSpec("network", "Set<String>", "`host:port` names that it may reach.", ()),
            FactSpec("writable", "Set<String>", "Folders of the host that it can write to.", ()),
            FactSpec("secrets", "Set<String>", "Classes of the credentials that it is given.", ()),
            FactSpec("unknown_dependencies", "Bool", "It loads packages nobody approved.", False),
            _LABELS,
            *_SUBJECT,
        ),
    ),
    "install": ActionSpec(
        ("Package",),
        "Install a package.",
        (
            FactSpec("manager", "String", "`pip`, `npm`, `apt` …", ""),
            FactSpec("pinned", "Bool", "It is named by digest.", False),
            FactSpec("state", "String", "Its state in the registry of dependencies.", "unknown"),
            FactSpec("network", "Set<String>", "`host:port` names that it may reach.", ()),
            _LABELS,
            *_SUBJECT,
        ),
    ),
    "network": ActionSpec(
        ("Host",),
        "Reach a host through the egress proxy.",
        (
            FactSpec("host", "String", "Name or address, in lower case.", "", derived=True),
            FactSpec("port", "Long", "The port, where the resource names one.", derived=True),
            FactSpec("method", "String", "HTTP method, where it is known.", ""),
            _LABELS,
            *_SUBJECT,
        ),
    ),
    "git": ActionSpec(
        ("Operation",),
        "A git operation in the run's own work tree.",
        (
            FactSpec(
                "operation", "String", "`commit`, `checkout`, `reset`, `push` …; else the resource.", ""
            ),
            FactSpec("branch", "String", "The branch it changes.", ""),
            FactSpec("own", "Bool", "The branch is the run's own, or none is changed.", True),
            _LABELS,
            *_SUBJECT,
        ),
    ),
    "ask": ActionSpec(
        ("Person",),
        "Ask a person a question.",
        (
            _LABELS,
            *_SUBJECT,
        ),
    ),
    "read": ActionSpec(
        ("Source", "Path"),
        "Read something from outside: the clock, randomness; or, with the fact `paths`, files.",
        (*_PATH, _LABELS, *_SUBJECT),
    ),
    "publish": ActionSpec(
        ("Target",),
        "Let something out: push, open a pull request, upload a package.",
        (FactSpec("media", "String", "Media type of what is published.", ""), _LABELS, *_SUBJECT),
    ),
    "spend": ActionSpec(
        ("Budget",),
        "Spend money or tokens beyond what the run was given.",
        (
            FactSpec("microdollars", "Long", "How much money."),
            FactSpec("tokens", "Long", "How many tokens."),
            _LABELS,
            *_SUBJECT,
        ),
    ),
    "delegate": ActionSpec(
        ("Agent",),
        "Give a sub-agent a task.",
        (
            FactSpec("background", "Bool", "It works beside its caller, who goes on meanwhile.", False),
            _LABELS,
            *_SUBJECT,
        ),
    ),
}

STANDING = (
    FactSpec("parent", "String", "Who gave the agent its task; nothing for one that the run itself has.", ""),
    FactSpec(
        "ancestors", "Set<String>", "All above it: its parent, who gave that one its task, and so on.", ()
    ),
    FactSpec("depth", "Long", "How many sub-agents deep it stands: 0 for one that the run itself has.", 0),
)
"""Facts of every action: where the agent stands."""

LABELS: Mapping[str, str] = {
    "outside": "leaves the work tree (absolute, or climbs with `..`), or cannot be a path",
    "git": "lies in `.git`, or is `.gitmodules`",
    "ci": "configures continuous integration, or who has to review",
    "policy": "is a policy or configures Forgewright",
    "autorun": "is run on a person's machine when they open, enter or commit the project",
    "secret": "is named like a file that holds credentials",
    "ip": "the host is an address, not a name",
    "private": "the host is loopback, link-local, private or otherwise not public",
    "metadata": "the host is a cloud's metadata service",
}
"""What the gate itself puts into `context.labels`."""


def entity_type(action: str, *, path: bool = False) -> str:
    """Type of the resource of an attempt."""
    spec = VOCABULARY[action]
    return "Path" if path and "Path" in spec.resources else spec.resources[0]


def facts_of(action: str) -> tuple[FactSpec, ...]:
    """All facts that a policy can ask of an action."""
    return (*VOCABULARY[action].facts, *STANDING)


def schema_text() -> str:
    """The Cedar schema, in Cedar's own syntax."""
    types = sorted({name for spec in VOCABULARY.values() for name in spec.resources} - {"Agent"})
    lines = ["entity Group in [Group];", "entity Agent in [Agent, Group];"]
    lines += [f"entity {name} in [{name}, Group];" for name in types]
    for action, spec in VOCABULARY.items():
        facts = ", ".join(f"{f.name}{'?' if f.default is None else ''}: {f.kind}" for f in facts_of(action))
        lines.append(
            f'action "{action}" appliesTo {{ principal: [Agent], resource: [{", ".join(spec.resources)}],'
            f" context: {{ {facts} }} }};"
        )
    return "\n".join(lines) + "\n"
