"""Progress on a terminal: counts, and what each host is doing now. Silent anywhere else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from kitsurvie.model import Status

# more lines than this and the eye gives up
MOST_LINES = 8
STYLES = {
    Status.COMPLIANT: "green",
    Status.DRIFT: "yellow",
    Status.WAIVED: "cyan",
    Status.NOT_APPLICABLE: "dim",
    Status.UNREACHABLE: "magenta",
    Status.ERROR: "red",
    Status.UNKNOWN: "red",
}


class Progress:
    """What is told while a run goes on. This one says nothing: not every stream is a terminal."""

    @contextmanager
    def phase(self, title: str, total: int) -> Iterator[None]:
        """A stage of the run over `total` hosts."""
        del title, total
        yield

    def host(self, name: str, doing: str) -> None:
        """A host is now doing this."""

    def done(self, name: str, status: Status) -> None:
        """A host has ended this stage."""


class LiveProgress(Progress):
    """A bar, the counts, and the hosts under way, redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._title = ""
        self._total = 0
        self._doing: dict[str, str] = {}
        self._done: Counter[Status] = Counter()
        self._live: Live | None = None

    @contextmanager
    def phase(self, title: str, total: int) -> Iterator[None]:
        """Draw until the stage ends, then leave one line behind."""
        self._title, self._total = title, total
        self._doing.clear()
        self._done.clear()
        with Live(
            get_renderable=self._draw, console=self._console, transient=True, refresh_per_second=8
        ) as live:
            self._live = live
            yield
        self._live = None
        self._console.print(self._counts())

    def host(self, name: str, doing: str) -> None:
        """Show what a host is doing."""
        if doing == "done":
            self._doing.pop(name, None)
        else:
            self._doing[name] = doing

    def done(self, name: str, status: Status) -> None:
        """Count a host that has ended."""
        self._doing.pop(name, None)
        self._done[status] += 1

    def _counts(self) -> Text:
        text = Text(f"{self._title}: {sum(self._done.values())}/{self._total}")
        for status, count in sorted(self._done.items()):
            text.append(f"  {count} {status.value}", style=STYLES[status])
        return text

    def _draw(self) -> RenderableType:
        bar = Table.grid()
        done = sum(self._done.values())
        bar.add_row(ProgressBar(total=max(self._total, 1), completed=done, width=40))
        lines = Table.grid(padding=(0, 2))
        for name, doing in list(self._doing.items())[:MOST_LINES]:
            lines.add_row(f"  {name}", Text(doing, style="dim"))
        if len(self._doing) > MOST_LINES:
            lines.add_row("  ...", f"{len(self._doing) - MOST_LINES} more")
        return Group(self._counts(), bar, lines)


def on(console: Console) -> Progress:
    """Live on a terminal, silent elsewhere."""
    return LiveProgress(console) if console.is_terminal else Progress()
