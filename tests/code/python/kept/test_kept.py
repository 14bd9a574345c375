from __future__ import annotations

from pathlib import Path

import pytest

from forgewright.core.errors import EditRefused
from tests.code.python.kept import extraction, inlining, renaming, signatures
from tests.code.python.kept.programs import ends

CASES = [
    pytest.param(*case, id=f"{module.__name__.rpartition('.')[2]}-{name}")
    for module in (extraction, inlining, renaming, signatures)
    for name, case in module.PROGRAMS.items()
]


@pytest.mark.parametrize(("operation", "text", "refused"), CASES)
def test_what_a_program_says_stays_or_the_operation_is_refused(
    tmp_path: Path, operation: str, text: str, refused: str
) -> None:
    if not refused:
        before, after, _ = ends(tmp_path, operation, text)
        assert after == before
        return
    with pytest.raises(EditRefused) as found:
        ends(tmp_path, operation, text)
    assert refused in str(found.value)
