"""A file that moves: the specifiers that mean it, and its own, mean what they meant."""

from __future__ import annotations

from pathlib import Path

from tests.code.python.edits import edited


def test_every_way_of_naming_a_file_follows(tmp_path: Path) -> None:
    files = {
        "tsconfig.json": '{"compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["src/*"]}}}',
        "src/ui/button/index.tsx": "import './style.css';\nimport { x } from '../theme';\n"
        "import React from 'react';\nexport const Button = () => <a>{x}</a>;\n",
        "src/ui/button/style.css": "a {}",
        "src/ui/theme.ts": "export const x = 1;\n",
        "src/app.tsx": "import { Button } from './ui/button';\nimport { Button as B } from '@/ui/button/index';\n"
        "const lazy = () => import('@/ui/button');\njest.mock(\"./ui/button/index.js\");\n"
        "export { Button } from './ui/button';\nconst text = './ui/button';\n",
    }
    program = "(move-file path: 'src/ui/button/index.tsx' to: 'src/widgets/button.tsx')"
    after, _ = edited(tmp_path, program, files)
    assert after == {
        "src/widgets/button.tsx": "import '../ui/button/style.css';\nimport { x } from '../ui/theme';\n"
        "import React from 'react';\nexport const Button = () => <a>{x}</a>;\n",
        "src/app.tsx": "import { Button } from './widgets/button';\n"
        "import { Button as B } from '@/widgets/button';\nconst lazy = () => import('@/widgets/button');\n"
        "jest.mock(\"./widgets/button.js\");\nexport { Button } from './widgets/button';\n"
        "const text = './ui/button';\n",
    }


def test_types_in_comments_follow(tmp_path: Path) -> None:
    files = {
        "lib/a.js": "/** @typedef { import('./b.js').B } B */\n/** @import {C, D as E} from \"./b.js\" */\n"
        "// import('./b.js')\n",
        "lib/b.js": '/** @param {import("./a.js").A} a */\nexport function f(a) {}\n',
    }
    after, _ = edited(tmp_path, "(move-file path: 'lib/b.js' to: 'lib/in/c.js')", files)
    assert after == {
        "lib/a.js": "/** @typedef { import('./in/c.js').B } B */\n/** @import {C, D as E} from \"./in/c.js\" */\n"
        "// import('./b.js')\n",
        "lib/in/c.js": '/** @param {import("../a.js").A} a */\nexport function f(a) {}\n',
    }
