"""Writes docs/reference/code.md from the declarations of the operations."""

from __future__ import annotations

from pathlib import Path

from forgewright.code.reference import page

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "code.md"


def main() -> None:
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
