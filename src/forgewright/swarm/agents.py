"""The agents of the main job: what each is told, which tools it has, what it remembers of the project."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from forgewright.agent.agent import Agent
from forgewright.agent.builtin.code import code_edit, code_query
from forgewright.agent.builtin.plan import write_plan
from forgewright.agent.context.options import WindowOptions
from forgewright.agent.memory import Remembering
from forgewright.agent.middleware import Middleware, Planning
from forgewright.agent.skills import ProjectInstructions, Skills
from forgewright.core.ids import digest
from forgewright.swarm import prompts

if TYPE_CHECKING:
    from forgewright.swarm.workspace import Workspace
    from forgewright.tools import Tool


class Agents:
    """Planner, coder and refactorer over one workspace.

    All are told the project's `AGENTS.md`. Planner and coder recall what earlier runs remembered of the project, and
    may use skills; the coder may remember more.
    """

    def __init__(self, workspace: Workspace, context_tokens: int | None = None) -> None:
        reading, writing = prompts.languages()
        place = workspace.place
        project = ProjectInstructions(workspace.tree, place.source.prefix.strip("/"))
        skills = Skills(user=user_skills(), project=workspace.root / ".forgewright" / "skills")
        memory = Remembering("user", project_scope(place.source.root / place.source.prefix))
        recall = [one for one in memory.tools if one.name == "recall"]
        window = WindowOptions(tokens=context_tokens)
        guided: list[Middleware] = [project, skills, memory]
        changing: list[Tool] = [code_query, code_edit]
        self.planner = Agent(
            "planner",
            prompts.with_language(prompts.PLANNER, reading),
            tools=[code_query, write_plan, *recall, *skills.tools],
            middleware=guided,
            window=window,
        )
        self.coder = Agent(
            "coder",
            prompts.with_language(prompts.CODER, writing),
            tools=[*changing, write_plan, *memory.tools, *skills.tools],
            middleware=[*guided, Planning()],
            window=window,
        )
        self.refactorer = Agent(
            "refactorer",
            prompts.with_language(prompts.REFACTORER, writing),
            tools=changing,
            middleware=[project],
            window=window,
        )


def project_scope(folder: Path) -> str:
    """The scope of memory that belongs to a folder: its name, and a digest of its path to tell it from others."""
    name = re.sub(r"[^\w.@-]+", "-", folder.name).strip("-") or "project"
    return f"project/{name[:60]}-{digest(str(folder).encode())[7:13]}"


def user_skills() -> Path:
    """`$XDG_CONFIG_HOME/forgewright/skills`, else below `~/.config`."""
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "forgewright" / "skills"
