"""Plans programs on a folder with one process and with several, in a process with one thread; prints what came of each.

python -m tests.code.edits_shared FOLDER PROCESSES
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from forgewright.code import sharing
from forgewright.code.engine import CodeEngine
from forgewright.core.errors import ForgewrightError
from forgewright.core.ids import digest

PROGRAMS = (
    "(rewrite pattern: 'self.get($A, $B)' template: 'self.gets($A, $B)')",
    "(rewrite pattern: 'isinstance($A, $B)' template: '$A.__class__ is $B')",
    "(rewrite pattern: 'len($A)' template: 'sum(1 for _ in $A)' in: '**/m*.py')",
    "(rewrite pattern: 'raise $E' template: 'raise $E from None' imports: ['os'])",
    "(rewrite pattern: 'self.$A($$$B)' template: 'self.made.$A($$$B)' where: 'call:inside(class)')",
    "(rewrite pattern: 'return len($X)' template: 'return (len($X')",
    "(rewrite pattern: 'nowhere($X)' template: '$X')",
    "(rewrite pattern: 'len($A' template: '$A')",
    "(repo-map tokens: 500)",
)


def main() -> None:
    root, count = Path(sys.argv[1]), int(sys.argv[2])
    sharing.PAYING_BYTES = 1
    for program in PROGRAMS:
        shutil.rmtree(root / ".forgewright", ignore_errors=True)
        try:
            plan = CodeEngine(root, processes=count).plan(program)
        except ForgewrightError as error:
            print(json.dumps([program, type(error).__name__, str(error)]))
            continue
        print(json.dumps([program, digest(plan.diff().encode()), plan.text()]))


if __name__ == "__main__":
    main()
