"""What policies refer to, in versions: policy sets, agents, tools, models, images, dependencies.

Each change is a statement that a person signs: proposed, reviewed, approved by a quorum without its author,
enacted. `Registry` folds the statements in the order of the journal; the same statements always give the
same registry, and none of them counts twice or elsewhere.
"""

from __future__ import annotations

from forgewright.policy.registry.registry import Proposal, Registry, Version
from forgewright.policy.registry.statements import (
    Approved,
    Enacted,
    Established,
    Person,
    Proposed,
    Reviewed,
    Rules,
    Signed,
    Statement,
    Stopped,
    Subject,
    sign,
)

__all__ = [
    "Approved",
    "Enacted",
    "Established",
    "Person",
    "Proposal",
    "Proposed",
    "Registry",
    "Reviewed",
    "Rules",
    "Signed",
    "Statement",
    "Stopped",
    "Subject",
    "Version",
    "sign",
]
