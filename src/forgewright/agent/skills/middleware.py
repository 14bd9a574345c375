"""Tells an agent which skills there are, and gives it the tools to read and use them. Nothing of them runs here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from forgewright.agent.middleware.base import Middleware
from forgewright.agent.skills.heard import MARK, heard
from forgewright.agent.skills.skill import FILE, Found, Skill, find_skills, parse_skill
from forgewright.core.errors import ForgewrightError, ToolError
from forgewright.files.directory import DirectoryFiles
from forgewright.models.types import Message, Request
from forgewright.runtime.context import Context
from forgewright.tools import Tool, tool

if TYPE_CHECKING:
    from collections.abc import Sequence

PROJECT = ".forgewright/skills"
"""Below a work tree."""
INSIDE = "/skills"
"""Where a skill's folder is seen in a sandbox."""
WORKSPACE = "/workspace"
RUNNERS = {".py": ("python3",), ".sh": ("sh",), ".js": ("node",)}
OUTPUT_CHARS = 20_000


class Skills(Middleware):
    """Skills of the user and of the project that is worked on.

        skills = Skills(user=Path("~/.config/forgewright/skills").expanduser())
        agent = Agent("coder", tools=[…, *skills.tools], middleware=[skills])

    Names and descriptions are told at the beginning; instructions and resources are read with a tool when they are
    needed; scripts run in a sandbox of the tier that the policy names for the purpose `skill`, with the skill's folder
    read-only and the work tree copy-on-write. A skill of the user wins over one of the project with the same name.
    """

    def __init__(self, *, user: Path | str | None = None, project: Path | str | None = None) -> None:
        self._user = None if user is None else Path(user)
        self._project = None if project is None else Path(project)
        self._known: dict[str, Skill] = {}
        self._told = ""
        self._heard = False
        self.tools: Sequence[Tool] = self._tools()
        self._own: dict[str, Tool] = {}

    def fresh(self) -> Skills:
        mine = Skills(user=self._user, project=self._project)
        mine._own = {one.name: one for one in mine.tools}
        return mine

    def wrap_tool(self, tool: Tool, context: Context) -> Tool:
        return self._own.get(tool.name, tool)

    async def before_agent(self, messages: tuple[Message, ...], context: Context) -> tuple[Message, ...]:
        found = await context.read("skills", lambda: self._find(context), Found)
        self._known = {skill.name: skill for skill in found.skills}
        if found.refused:
            await context.note("skills refused", found.refused)
        lines = [f"- {skill.name} ({skill.whose}'s): {skill.description}" for skill in self._known.values()]
        if lines:
            listed = "\n".join(lines)
            whose = f" (a project's skill is {MARK})" if self._of_project() else ""
            self._told = (
                f"\n\nSkills that you can use; read one with use_skill when it fits{whose}:\n{listed}"
            )
        return messages

    async def before_model(self, request: Request, context: Context) -> Request:
        if not self._told:
            return request
        if not self._heard and self._of_project():
            self._heard = heard("skills", self._told, context, asked_now=True)
        return msgspec.structs.replace(request, system=request.system + self._told)

    def _of_project(self) -> bool:
        return any(skill.whose == "project" for skill in self._known.values())

    async def _find(self, context: Context) -> Found:
        project = self._project
        if project is None and context.execution.code is not None:
            project = context.execution.code.root / PROJECT
        users = await find_skills(self._user, "user") if self._user is not None else Found()
        projects = await find_skills(project, "project") if project is not None else Found()
        taken = {skill.name for skill in users.skills}
        twice = [skill.name for skill in projects.skills if skill.name in taken]
        refused = (
            *users.refused,
            *projects.refused,
            *(f"{name}: the user has one of that name" for name in twice),
        )
        return Found((*users.skills, *(s for s in projects.skills if s.name not in taken)), refused)

    def _skill(self, name: str) -> Skill:
        found = self._known.get(name)
        if found is None:
            there = ", ".join(self._known) or "none"
            raise ToolError(f"there is no skill {name[:64]!r}; there are: {there}")
        return found

    def _tools(self) -> tuple[Tool, ...]:
        @tool(recovery="pure")
        async def use_skill(name: str) -> str:
            """Read a skill's instructions, and which further files it has.

            Args:
                name: Its name, from the list of skills.
            """
            skill = self._skill(name)
            text = (await _read(skill, FILE)).decode("utf-8", "replace")
            _, _, body = parse_skill(text, name)
            others = [path for path in await _files(skill) if path != FILE]
            listed = "\n".join(f"- {path}" for path in others[:100])
            more = f"\n\nFiles of this skill (read_skill_file, run_skill_script):\n{listed}" if listed else ""
            return body + more

        @tool(recovery="pure")
        async def read_skill_file(name: str, path: str) -> str:
            """Read a file that belongs to a skill.

            Args:
                name: The skill.
                path: Path in the skill's folder.
            """
            data = await _read(self._skill(name), path)
            try:
                return data.decode("utf-8")
            except UnicodeDecodeError:
                return f"{path} is no text: {len(data):,} bytes"

        @tool(recovery="pure")
        async def run_skill_script(
            name: str, path: str, context: Context, arguments: list[str] | None = None
        ) -> str:
            """Run a script of a skill in a sandbox. It sees the work tree under /workspace; what it writes is thrown
            away, so have it print what is wanted.

            Args:
                name: The skill.
                path: Path of the script in the skill's folder.
                arguments: For the script.
            """
            skill = self._skill(name)
            await _read(skill, path)  # it is there, is a file, and no step of it is a link
            return await _run(skill, path, tuple(arguments or ()), context)

        return (use_skill, read_skill_file, run_skill_script)


async def _run(skill: Skill, path: str, arguments: tuple[str, ...], context: Context) -> str:
    from forgewright.files import paths
    from forgewright.sandbox.types import Command, Mount, SandboxSpec

    inside = f"{INSIDE}/{skill.name}"
    script = f"{inside}/{paths.clean(path)}"
    mounts = [Mount(skill.folder, inside, "ro")]
    code = context.execution.code
    if code is not None:
        mounts.append(Mount(str(code.root), WORKSPACE, "cow"))
    suffix = Path(path).suffix
    ended = await context.exec(
        Command(
            (*RUNNERS.get(suffix, ()), script, *arguments), workdir=WORKSPACE if code is not None else inside
        ),
        purpose="skill",
        spec=SandboxSpec(mounts=tuple(mounts)),
    )
    text = (ended.stdout + ended.stderr).decode("utf-8", "replace")[:OUTPUT_CHARS]
    how = "" if ended.ok else f"\n[it ended with {ended.reason} {ended.code}]"
    return f"{text}{how}" or "[it printed nothing]"


async def _read(skill: Skill, path: str) -> bytes:
    files = DirectoryFiles(skill.folder)
    try:
        return await files.read(path)
    except ForgewrightError as error:
        raise ToolError(f"{path[:200]!r} of the skill {skill.name}: {error.message}") from error
    finally:
        files.close()


async def _files(skill: Skill) -> Sequence[str]:
    files = DirectoryFiles(skill.folder)
    try:
        return await files.glob("**")
    finally:
        files.close()
