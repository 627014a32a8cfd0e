"""What went wrong, where, what to do about it, and the exit code that says so.

Every error a user can meet is one of these classes. The message is a sentence, the remedy is
another; the command line prints both and never a traceback.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the command line. CONFIGURATION beats HOSTS beats DRIFT."""

    COMPLIANT = 0
    DRIFT = 1
    CONFIGURATION = 2
    HOSTS = 3
    INTERRUPTED = 130


class KitsurvieError(Exception):
    """A user-facing error.

    `what` is one sentence that says what happened and to what; `where` is a file (with its
    line when known), a host or a measure; `remedy` is what to do next.
    """

    exit_code: ExitCode = ExitCode.CONFIGURATION

    def __init__(self, what: str, *, remedy: str, where: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        return f"{self.what}{place} {self.remedy}"


class UsageError(KitsurvieError):
    """The words of the command cannot be followed: unknown measure, host pattern, option value."""


class WorkspaceError(KitsurvieError):
    """No workspace here, or its kitsurvie.toml cannot be used."""


class InventoryError(KitsurvieError):
    """The inventory says something impossible, or cannot be read."""


class KitError(KitsurvieError):
    """A measure's folder is incomplete or contradicts itself."""


class LedgerError(KitsurvieError):
    """The ledger cannot be opened, read or written, or belongs to a newer version."""


class LabError(KitsurvieError):
    """The lab cannot start, or something it needs is missing."""


class EnrolError(KitsurvieError):
    """First contact with a host failed or was refused."""


class RunError(KitsurvieError):
    """A run cannot start or cannot go on: another one holds the lock, nothing to resume."""


class HostError(KitsurvieError):
    """One host, or the road to it, is at fault; the others are not."""

    exit_code = ExitCode.HOSTS
