"""A template's arguments as they were written, and the marks that its rules put into the text.

``VOID`` and the others are control characters, which XML does not allow, so no page holds them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

VOID = "\x04"
"""Stands where something was dropped."""
EQUALS = "\x0f"
"""An equals sign that names no argument."""
_MARKS = re.compile(r"\x02\d+\x01|[\x01-\x06\x0e-\x10]")


class Arguments:
    """A template's arguments: ``a[1]`` the first positional one, ``a["key"]`` a named one, empty if missing.

    ``name`` is the template's in lower case, ``written`` all between the bars as it stands, the name first, ``wiki``
    the language of the wiki.
    """

    def __init__(self, name: str, parts: list[str], wiki: str = "") -> None:
        self.name = name
        self.wiki = wiki
        self.written = parts
        self.values: dict[str, str] = {}
        self.positional: list[str] = []
        for part in parts[1:]:
            key, equals, value = part.partition("=")
            key = key.strip()
            # marks, tags and line breaks before the sign: it belongs to the text
            if equals and len(key) < 40 and "<" not in key and key.isprintable():
                self.values[key.lower()] = value.strip()
            else:
                self.positional.append(part.strip())

    @property
    def head(self) -> str:
        """What stands after the colon of a parser function (``{{uc:text}}``)."""
        return self.written[0].partition(":")[2].strip()

    def __getitem__(self, key: int | str) -> str:
        if isinstance(key, str):
            return self.values.get(key, "")
        numbered = self.values.get(str(key))
        if numbered is not None:
            return numbered
        return self.positional[key - 1] if key <= len(self.positional) else ""

    def first(self, *keys: int | str) -> str:
        """The first of some arguments that is not empty."""
        return next((value for key in keys if (value := self[key]).strip(VOID + " ")), "")

    def all(self) -> list[str]:
        """The positional arguments, those numbered by name included, without empty ones."""
        numbers = [int(key) for key in self.values if key.isdecimal() and len(key) < 3]
        count = max([len(self.positional), *numbers])
        return [value for number in range(1, count + 1) if (value := self[number]).strip(VOID + " ")]

    def plain(self) -> list[str]:
        """The positional arguments without marks of links and the like, the empty ones kept in their places."""
        numbers = [int(key) for key in self.values if key.isdecimal() and len(key) < 3]
        count = max([len(self.positional), *numbers])
        return [_MARKS.sub("", self[number]).strip() for number in range(1, count + 1)]


Rule = Callable[[Arguments], str]
"""From arguments to the text that a template shows."""


def drop(a: Arguments) -> str:
    """Nothing, with the gap closed."""
    return VOID
