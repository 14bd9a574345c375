"""The two tools through which agents see and change code: both take programs of the language of code."""

from __future__ import annotations

from forgewright.core.errors import UsageError
from forgewright.runtime.context import Context
from forgewright.tools import tool


@tool(recovery="pure")
async def code_query(program: str, context: Context) -> str:
    """Look at the code without changing it.

    Args:
        program: Operations that only read, one s-expression each, e.g. (outline in: 'app.py')
            (search text: 'def route') (read target: 'function#route')
    """
    engine = context.code
    if engine is None:
        raise UsageError("this run has no work tree")
    plan = engine.plan(program)
    if plan.changes:
        paths = ", ".join(change.path for change in plan.changes)
        raise UsageError(f"this program would change {paths}, and nothing was done", hint="use code_edit")
    return plan.text() or "nothing found"


@tool(recovery="idempotent")
async def code_edit(program: str, context: Context) -> str:
    """Change the code, new files included: all operations of the program are applied, or none.

    Args:
        program: Operations, one s-expression each. What can't be applied exactly is refused with the reason.
    """
    edited = await context.edit(program)
    return edited.text or "done; nothing changed"
