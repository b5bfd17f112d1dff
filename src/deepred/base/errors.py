"""Errors that are shown as one line: what is wrong, where, and what mends it."""

from __future__ import annotations

import errno
import re
from importlib import metadata
from pathlib import Path

GOES_ON = "the same command goes on where it stopped"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SAID_OF_FULL_DISK = re.compile(r"No space left on device|disk is full|File too large|\d requested and \d+ written")
"""What libraries say in errors of their own: Rust's and Arrow's, SQLite's, NumPy's."""
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class DeepRedError(Exception):
    """Any error with a message for people; shown without a traceback."""

    exit_code = 1

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __reduce__(self) -> tuple[type[DeepRedError], tuple[str, str]]:
        return type(self), (self.message, self.mend)  # errors cross processes whole

    def __str__(self) -> str:
        return f"{self.message} ({self.mend})" if self.mend else self.message


class UserError(DeepRedError):
    """What the user can mend: a wrong path, key or value. Exit code 2."""

    exit_code = 2


class FaultError(DeepRedError):
    """What went wrong on the way: damaged data, a full disk, a failed gate. Exit code 1."""


def explained(error: Exception, where: str = "") -> DeepRedError:
    """Any exception as one for people; one of a package that an extra brings says which extra."""
    place = f"{where}: " if where else ""
    if isinstance(error, ModuleNotFoundError) and (extra := extra_of((error.name or "").partition(".")[0])):
        return UserError(
            f"{place}the package {error.name} is not installed",
            f'pip install "deepred[{extra}]"; in a checkout: make setup',
        )
    if (fault := system_fault(error, where)) is not None:
        return fault
    return FaultError(f"{place}{type(error).__name__}: {error}")


def system_fault(error: Exception, where: str = "", place: Path | None = None) -> FaultError | None:
    """What the system or a full disk refused, in a line with the file and the mend; None for any other error.

    ``place`` is told where the error names no file.
    """
    said = str(error)
    is_full = (isinstance(error, OSError) and error.errno in _FULL) or _SAID_OF_FULL_DISK.search(said) is not None
    if not is_full and not isinstance(error, OSError):
        return None
    name, reason, number = (
        (error.filename, error.strerror, error.errno) if isinstance(error, OSError) else (None, None, None)
    )
    before, file = f"{where}: " if where else "", name or place or ""
    if is_full:
        return FaultError(
            f"{before}the disk is full{f' at {file}' if file else f' ({said})'}", f"free space; {GOES_ON}"
        )
    line = f"{before}{reason or said}{f': {file}' if file else ''}"
    if number in _REFUSED:
        return FaultError(line, f"let this user write there, or choose another folder; then {GOES_ON}")
    return FaultError(line, GOES_ON)


def extra_of(module: str) -> str:
    """The extra that brings a module, by Deep Red's own list of what it needs; empty where none does."""
    for requirement in metadata.requires("deepred") or []:
        found = re.match(r"([\w.-]+).*extra == ['\"](\w+)", requirement)
        if found and found.group(1).lower().replace("-", "_") == module.lower():
            return found.group(2)
    return ""
