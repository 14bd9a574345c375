"""Bringing together what several coders did to one tree: three-way, by lines and by structure, nothing dropped."""

from forgewright.swarm.merge.files import Clash, Entry, merge_files
from forgewright.swarm.merge.text import Conflict, Merged, merge_text

__all__ = ["Clash", "Conflict", "Entry", "Merged", "merge_files", "merge_text"]
