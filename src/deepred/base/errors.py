"""Errors that are shown as one line: what is wrong, where, and what mends it."""

from __future__ import annotations


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
