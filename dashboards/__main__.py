"""Write the dashboards, or say that those that are there are not what the code gives."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dashboards.boards import BOARDS
from dashboards.panels import LANGUAGES, built

FOLDER = Path(__file__).resolve().parents[1] / "monitoring" / "dashboards"


def files() -> dict[Path, str]:
    """What is to be there: by path, the JSON."""
    return {
        FOLDER / lang / f"{board.uid}.json": built(board, lang)
        for lang in LANGUAGES
        for board in BOARDS
    }


def main() -> int:
    """Write, or with --check compare: 1 when something is not as it should be."""
    parser = argparse.ArgumentParser(description="Grafana's dashboards, out of code.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when they differ")
    asked = parser.parse_args()
    wanted = files()
    there = set(FOLDER.glob("*/*.json"))
    differ = [
        path
        for path, text in wanted.items()
        if path not in there or path.read_text("utf-8") != text
    ] + sorted(there - set(wanted))
    if asked.check:
        for path in differ:
            print(f"{path.relative_to(FOLDER)} is not what the code gives", file=sys.stderr)
        return 1 if differ else 0
    for path in differ:
        if path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], "utf-8")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
