"""One skill: a folder with a `SKILL.md`, as the Agent Skills format says (agentskills.io/specification)."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from forgewright.core.errors import ForgewrightError, UsageError
from forgewright.files.directory import DirectoryFiles

FILE = "SKILL.md"
FILE_CHARS_MAX = 64_000
NAME_CHARS_MAX = 64
DESCRIPTION_CHARS_MAX = 1_024
SKILLS_MAX = 100
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_FIELD = re.compile(r"([A-Za-z][\w-]*):(?:[ \t]+(.*))?$")


class Skill(msgspec.Struct, frozen=True):
    """What is known of a skill before it is used."""

    name: str
    description: str
    folder: str
    """Absolute path on this machine."""
    whose: str
    """`user` or `project`."""


class Found(msgspec.Struct, frozen=True):
    """What a folder of skills holds."""

    skills: tuple[Skill, ...] = ()
    refused: tuple[str, ...] = ()
    """Folders that are no skill though they look like one, each with the reason."""


def parse_skill(text: str, folder_name: str) -> tuple[str, str, str]:
    """Name, description and body. Raises `UsageError` for front matter that breaks the format's rules."""
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0].strip() != "---" or "---" not in (line.rstrip() for line in lines[1:]):
        raise UsageError(f"expected {FILE} to begin with front matter between two lines of ---")
    end = next(number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---")
    fields = _front_matter(lines[1:end])
    name, description = fields.get("name", ""), fields.get("description", "")
    if not _NAME.fullmatch(name) or len(name) > NAME_CHARS_MAX:
        raise UsageError(
            f"expected a name of at most {NAME_CHARS_MAX} lower-case letters, digits and single hyphens;"
            f" found {name[:80]!r}"
        )
    if name != folder_name:
        raise UsageError(f"expected the name of its folder, {folder_name!r:.80}; found {name!r}")
    if not description or len(description) > DESCRIPTION_CHARS_MAX:
        raise UsageError(
            f"expected a description of 1 to {DESCRIPTION_CHARS_MAX:,} characters; found {len(description):,}"
        )
    return name, description, "\n".join(lines[end + 1 :]).strip()


async def find_skills(folder: Path, whose: str) -> Found:
    """The skills in a folder of skills; none where there is no such folder. Links are not followed."""
    if not folder.is_dir() or folder.is_symlink():
        return Found()
    files = DirectoryFiles(folder)
    skills: list[Skill] = []
    refused: list[str] = []
    try:
        for entry in (await files.ls())[:SKILLS_MAX]:
            if entry.kind != "folder":
                continue
            try:
                text = (await files.read(f"{entry.path}/{FILE}")).decode("utf-8")
                name, description, _ = parse_skill(text[:FILE_CHARS_MAX], entry.path)
            except (ForgewrightError, UnicodeDecodeError) as error:
                refused.append(f"{entry.path}: {getattr(error, 'message', error)}")
                continue
            skills.append(Skill(name, description, str(files.root / entry.path), whose))
    finally:
        files.close()
    return Found(tuple(skills), tuple(refused))


def _front_matter(lines: list[str]) -> dict[str, str]:
    """The top level's fields: YAML as far as the format needs it, which is one value a line, plain, quoted, or a
    block (`|`, `>`). What is nested below a field (`metadata`) is passed over."""
    fields: dict[str, str] = {}
    number = 0
    while number < len(lines):
        found = _FIELD.match(lines[number])
        number += 1
        if not found:
            continue
        name, value = found[1], (found[2] or "").strip()
        block: list[str] = []
        while number < len(lines) and (not lines[number].strip() or lines[number][:1] in " \t"):
            block.append(lines[number].strip())
            number += 1
        if value[:1] in ("|", ">"):
            value = ("\n" if value[0] == "|" else " ").join(block).strip()
        elif value[:1] in ("'", '"') and value[-1:] == value[0] and len(value) > 1:
            value = _unquoted(value)
        elif value:
            value = " ".join([value.split(" #")[0].rstrip(), *filter(None, block)])
        fields[name] = value
    return fields


def _unquoted(value: str) -> str:
    if value[0] == "'":
        return value[1:-1].replace("''", "'")
    try:
        return str(msgspec.json.decode(value.encode()))
    except msgspec.MsgspecError:
        return value[1:-1]
