"""Module names relative or by the configuration, and `import * as` by the names that are used."""

from __future__ import annotations

import pytest
from tests.code.javascript.changes import changed, refusal

CONFIG = '{\n  // how\n  "compilerOptions": { "baseUrl": ".", "paths": { "@/*": ["src/*"], "@ui": ["src/ui/index.ts"] } },\n}\n'
FILES = {
    "tsconfig.json": CONFIG,
    "package.json": '{ "name": "own" }',
    "src/util.ts": "export const load = 1;\n",
    "src/ui/index.ts": "export const ui = 1;\n",
    "src/app/main.ts": "import { load } from '../util.js';\nimport { ui } from \"../ui\";\nimport z from 'zod';\n"
    "export { ui } from '../ui';\nconst x = () => import('../util');\njest.mock('../util');\nload; z; x;\n",
}


def test_there_and_back() -> None:
    after = changed(FILES, "(absolute-imports file: 'src/app/main.ts')")
    main = (
        "import { load } from '@/util.js';\nimport { ui } from \"@ui\";\nimport z from 'zod';\n"
        "export { ui } from '@ui';\nconst x = () => import('@/util');\njest.mock('@/util');\nload; z; x;\n"
    )
    assert after == {"src/app/main.ts": main}
    assert changed({**FILES, "src/app/main.ts": main}, "(relative-imports file: 'src/**/*.ts')") == {
        "src/app/main.ts": FILES["src/app/main.ts"]
    }


def test_stars_by_their_names() -> None:
    files = {
        "a.ts": "import d, * as m from './m';\n\nexport let x: m.T = m.f(m.g);\nexport const o = { f: m.f };\nd;\n",
        "m.ts": "export type T = 1;\nexport const f = (x: number): T => 1;\nexport const g = 1;\nexport default 1;\n",
    }
    assert changed(files, "(expand-star-import file: 'a.ts')") == {
        "a.ts": "import d, { T, f, g } from './m';\n\nexport let x: T = f(g);\nexport const o = { f: f };\nd;\n"
    }


REFUSED = {
    "as a whole": ("import * as m from './m';\nf(m);\n", "used as a whole"),
    "by a computed name": ("import * as m from './m';\nm[x];\n", "used as a whole"),
    "shadowed": (
        "import * as m from './m';\nexport function h(g: number) {\n  return m.g;\n}\n",
        "something else there",
    ),
    "global": ("import * as m from './m';\ng();\nm.g;\n", "something else there"),
    "not exported": ("import * as m from './m';\nm.none;\n", "exports no none"),
}


@pytest.mark.parametrize(("text", "why"), REFUSED.values(), ids=REFUSED)
def test_stars_that_stay(text: str, why: str) -> None:
    assert why in refusal(
        {"a.ts": text, "m.ts": "export const g = 1;\n"}, "(expand-star-import file: 'a.ts')"
    )
