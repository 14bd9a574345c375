"""What a project and its people tell agents: AGENTS.md, and skills that are read when they are needed."""

from __future__ import annotations

from forgewright.agent.skills.instructions import ProjectInstructions
from forgewright.agent.skills.middleware import Skills
from forgewright.agent.skills.skill import Skill, parse_skill

__all__ = ["ProjectInstructions", "Skill", "Skills", "parse_skill"]
