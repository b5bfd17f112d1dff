"""Errors that are shown as one line: what is wrong, where, and what mends it."""

from __future__ import annotations

import re
from importlib import metadata


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
    return FaultError(f"{place}{type(error).__name__}: {error}")


def extra_of(module: str) -> str:
    """The extra that brings a module, by Deep Red's own list of what it needs; empty where none does."""
    for requirement in metadata.requires("deepred") or []:
        found = re.match(r"([\w.-]+).*extra == ['\"](\w+)", requirement)
        if found and found.group(1).lower().replace("-", "_") == module.lower():
            return found.group(2)
    return ""
