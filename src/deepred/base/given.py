"""Files that others give: text, TOML, JSON and lines of JSON, read within bounds; what is wrong is one clear error.

A path may lead to a folder, a pipe that nobody writes to or a device without end; a file may be far larger than its
kind can be, be no UTF-8, nest until Python's stack ends, or hold a number of a million digits.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from deepred.base.errors import UserError

MOST_TEXT = 64_000_000
"""Bytes of a file that is read in one piece: run files, configurations, sheets of labels, question files."""
MOST_LINE = 16_000_000
"""Bytes of a line of JSON; answers of models are a few thousand."""
MOST_TOML = 4_000_000
_DEEP_KEY = re.compile(r"^[ \t]*+\[{0,2}+(?:[\w\"' \t-]{1,80}+\.){33}", re.MULTILINE)
"""A key of more parts than any file has: the time that ``tomllib`` takes grows with their square."""


def check_file(path: Path, mend: str) -> None:
    """``UserError`` unless the path leads to a regular file; ``mend`` says what to name instead."""
    if path.is_dir():
        raise UserError(f"{path} is a folder", mend)
    if not path.exists():
        raise UserError(f"{path} does not exist", mend)
    if not path.is_file():
        raise UserError(f"{path} is no file but a device or a pipe", mend)


def read_text(path: Path, mend: str, most: int = MOST_TEXT, errors: str = "strict") -> str:
    """The text of a file in UTF-8, without a byte order mark; ``UserError`` for anything else.

    ``errors`` is what becomes of bytes that are no UTF-8, in Python's words.
    """
    check_file(path, mend)
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", mend) from None
    if len(data) > most:
        raise UserError(f"{path} has more than {most:,} bytes", mend)
    try:
        return data.decode("utf-8-sig", errors)
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no UTF-8: byte {error.start:,} is {data[error.start]:#04x}", mend) from None


def read_toml(path: Path, mend: str) -> dict[str, Any]:
    """The values of a TOML file; ``UserError`` where it is none."""
    return parse_toml(read_text(path, mend, MOST_TOML), str(path), mend)


def parse_toml(text: str, where: str, mend: str) -> dict[str, Any]:
    """The values of a text in TOML; ``where`` names it in the error."""
    if deep := _DEEP_KEY.search(text):
        line = text.count("\n", 0, deep.start()) + 1
        raise UserError(f"{where}, line {line}: the key {deep[0].strip()[:40]!r}… has too many parts", mend)
    return _parsed(tomllib.loads, text, f"{where} is not valid TOML", mend)


def read_json(path: Path, mend: str) -> Any:
    """The value of a JSON file; ``UserError`` where it is none."""
    return parse_json(read_text(path, mend), str(path), mend)


def read_object(path: Path, mend: str) -> dict[str, Any]:
    """The same, where it has to be an object."""
    value = read_json(path, mend)
    if not isinstance(value, dict):
        raise UserError(f"{path} holds no JSON object but {type(value).__name__}", mend)
    return cast("dict[str, Any]", value)


def parse_json(text: str | bytes, where: str, mend: str) -> Any:
    """The value of a text in JSON; ``where`` names it in the error. NaN and halves of characters are no JSON."""
    import orjson

    return _parsed(orjson.loads, text, f"{where} is not valid JSON", mend)


def _parsed(parse: Callable[[Any], Any], text: str | bytes, what: str, mend: str) -> Any:
    try:
        return parse(text)
    except RecursionError:
        reason = "its brackets nest too deeply"
    except ValueError as error:  # of bad syntax, of bytes that are no text, and of numbers with too many digits
        reason = str(error).splitlines()[0]
    raise UserError(f"{what}: {reason}", mend)


def read_number(text: str) -> int | None:
    """A number that others state, of 15 digits at most; None for anything else.

    >>> read_number("120"), read_number("9" * 5000), read_number("²")
    (120, None, None)
    """
    return int(text) if text.isdecimal() and len(text) <= 15 else None


def iterate_lines(path: Path, mend: str, most: int = MOST_LINE) -> Iterator[bytes]:
    """The lines of a file with their ends; ``UserError`` names one of more than ``most`` bytes."""
    check_file(path, mend)
    with path.open("rb") as file:
        number = 0
        while line := file.readline(most + 1):
            number += 1
            if len(line) > most:
                raise UserError(f"{path}, line {number}: more than {most:,} bytes in one line", mend)
            yield line


def read_rows_of_json(path: Path, mend: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a file with one a line, each with its place for errors; blank lines are passed over."""
    for number, line in enumerate(iterate_lines(path, mend), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        row = parse_json(line.removeprefix(b"\xef\xbb\xbf"), where, mend)
        if not isinstance(row, dict):
            raise UserError(f"{where}: no JSON object but {type(row).__name__}", mend)
        yield where, cast("dict[str, Any]", row)
