"""``deepred download``: what to fetch for a kind of data, how large it is, and the files, verified, in a folder.

Where things lie is data (``downloads.toml``). A plan is made first, with sizes and published checksums, so that size
and time can be stated before anything large is fetched; the transfer of one file is ``transfer.py``'s.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from deepred.base.errors import FaultError, UserError
from deepred.base.files import remove_unfinished, replaced, shipped_table, write_text
from deepred.base.given import read_number, read_toml
from deepred.run.unfinished import hold_lock
from deepred.sources.download.transfer import Item, Transfer, checksum_of, discard, require_space, told_of_full_disk

KINDS = ("wikipedia", "wikidata", "yago", "gutenberg", "chess", "chess-books")
LISTED = re.compile(r"^([0-9a-fA-F]{32,64})\s+\*?(\S+)\s*$", re.MULTILINE)
RECORD = "SHA256SUMS"
"""File beside the downloads with the checksums of those whose publisher states none; ``sha256sum -c`` reads it."""
ARCHIVED_TEXT = "DjVuTXT"
"""The Internet Archive's name for the plain text of a scanned book, whatever the file is called."""
TRIED_DATES = 4
"""Dates looked at, the newest first, for one whose dump is finished: they are made every few days."""
ALGORITHMS = {32: "md5", 40: "sha1", 64: "sha256"}


@dataclass(frozen=True, slots=True)
class Options:
    """What of a kind is wanted."""

    wiki: str = "simplewiki"
    date: str = "latest"
    ids: tuple[str, ...] = ()
    mirrors: tuple[str, ...] = ()
    """Mirrors to try instead of the shipped ones."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The files of a download with their sizes and checksums, and where they will lie below the downloads folder."""

    kind: str
    items: tuple[Item, ...]
    licence: str
    pause: float
    rate: int
    unpack: tuple[str, ...] = ()
    """Patterns of the files of an archive that are written beside it; none: archives stay packed."""

    @property
    def size(self) -> int:
        """Bytes of the files whose size is known."""
        return sum(item.size or 0 for item in self.items)

    def statement(self) -> str:
        """Size and time in a line, to be shown before the download starts."""
        unknown = sum(item.size is None for item in self.items)
        seconds = self.size / self.rate + self.pause * len(self.items)
        parts = [f"{self.kind}: {len(self.items)} files, {_bytes(self.size)}"]
        if unknown:
            parts.append(f"{unknown} of unknown size")
        parts.append(f"about {_duration(seconds)} at {_bytes(self.rate)}/s")
        unverified = sum(not item.checksum for item in self.items)
        if unverified:
            parts.append(f"{unverified} without a published checksum (length checked, SHA-256 recorded in {RECORD})")
        return f"{', '.join(parts)}. Licence: {self.licence}."


def shipped_sources() -> dict[str, dict[str, Any]]:
    """The tables of ``downloads.toml``."""
    return shipped_table("deepred.sources.download", "downloads.toml")


def own_sources(data: Path) -> dict[str, dict[str, Any]]:
    """The shipped tables, with what a ``downloads.toml`` in the data folder sets anew: other mirrors, for one."""
    tables = shipped_sources()
    path = data / "downloads.toml"
    own = read_toml(path, "see the shipped downloads.toml for every key") if path.exists() else {}
    if unknown := sorted(set(own) - set(tables)):
        raise UserError(f"{path}: {unknown[0]!r} is nothing to download", f"one of {', '.join(KINDS)}")
    if wrong := [kind for kind, table in own.items() if not isinstance(table, dict)]:
        raise UserError(f"{path}: {wrong[0]} is a value, not a table", f"write it as [{wrong[0]}]")
    return {kind: {**table, **own.get(kind, {})} for kind, table in tables.items()}


def plan_download(
    kind: str, options: Options, transfer: Transfer, sources: dict[str, dict[str, Any]] | None = None
) -> Plan:
    """Which files a kind needs, with sizes and checksums asked from the publisher; nothing large is fetched."""
    tables = shipped_sources() if sources is None else sources
    if kind not in tables:
        raise UserError(f"{kind!r} is nothing to download", f"one of {', '.join(KINDS)}")
    table = tables[kind]
    transfer.pause = max(transfer.pause, float(table.get("pause", 1.0)))
    mirrors = options.mirrors or tuple(table["mirrors"])
    options = _newest(table, options, mirrors, transfer)
    items = _with_checksums(_items(kind, table, options, mirrors), table, options, mirrors, transfer)
    if not items:
        raise UserError(f"no default ids ship for {kind}", str(table.get("hint", "name what you want with --id")))
    # sizes of hundreds of small files are not worth hundreds of requests
    asked = [
        item if item.size is not None or len(items) > 20 else replace(item, size=transfer.size(item.urls))
        for item in items
    ]
    unpacked = tuple(table.get("unpack", ()))
    return Plan(kind, tuple(asked), str(table["licence"]), transfer.pause, int(table["rate"]), unpacked)


def fetch_plan(plan: Plan, folder: Path, transfer: Transfer) -> list[Path]:
    """All files of a plan below ``folder/<kind>``, verified; of archives, the files that the plan names, beside them.

    A file that no mirror has does not stop the others; the error at the end names all of them. ``UserError`` while
    another process fetches the same kind.
    """
    paths: list[Path] = []
    failed: list[str] = []
    place = folder / plan.kind
    with hold_lock(place):
        place.mkdir(exist_ok=True)
        remove_unfinished(place)
        for item in plan.items:
            try:
                path = _fetch_item(item, place, transfer)
            except FaultError as error:
                failed.append(error.message)
                continue
            paths += unpack(path, plan.unpack) if path.suffix == ".zip" and plan.unpack else [path]
    if failed:
        raise FaultError(
            f"{len(failed)} of {len(plan.items)} files failed: {'; '.join(failed)}",
            "run the same command again to resume",
        )
    return paths


def _fetch_item(item: Item, folder: Path, transfer: Transfer) -> Path:
    """One file; where no checksum is published, its own is recorded, and checked when it is there already."""
    if item.checksum:
        return transfer.fetch(item, folder)
    path, recorded = folder / item.name, _recorded(folder).get(item.name, "")
    if path.exists() and recorded and item.size in (None, path.stat().st_size):
        if checksum_of(path, "sha256") == recorded:
            discard(path)
            return path
        path.unlink()  # it has changed on the disk: from the start
    path = transfer.fetch(item, folder)
    _record(folder, item.name, checksum_of(path, "sha256"))
    return path


def _recorded(folder: Path) -> dict[str, str]:
    path = folder / RECORD
    listing = path.read_text(encoding="utf-8") if path.is_file() else ""
    return {name: digest for digest, name in LISTED.findall(listing)}


def _record(folder: Path, name: str, digest: str) -> None:
    sums = _recorded(folder) | {name: digest}
    write_text(folder / RECORD, "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))


def unpack(path: Path, patterns: Sequence[str]) -> list[Path]:
    """The files of an archive whose names match, written beside it; a damaged archive is removed."""
    written: list[Path] = []
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                # only the base name: an archive must not choose where it writes
                target = path.parent / Path(member.filename).name
                if not any(fnmatch(target.name.lower(), pattern) for pattern in patterns):
                    continue
                if not target.exists() or target.stat().st_size != member.file_size:
                    require_space(target, member.file_size)
                    with told_of_full_disk(target), replaced(target) as partial, archive.open(member) as packed:
                        _unpack_member(packed, partial, member.file_size)
                written.append(target)
    except (zipfile.BadZipFile, zlib.error):
        path.unlink()
        raise FaultError(f"{path.name} is a damaged archive", "run the same command again") from None
    return written


def _unpack_member(packed: IO[bytes], target: Path, size: int) -> None:
    """Write a member of the size that its archive states, and no byte more: a bomb states less than it holds."""
    with target.open("wb") as file:
        left = size + 1
        while left > 0 and (piece := packed.read(min(1 << 20, left))):
            file.write(piece)
            left -= len(piece)
    if left <= 0:
        raise zipfile.BadZipFile("a member holds more than its archive states")


def _items(kind: str, table: dict[str, Any], options: Options, mirrors: tuple[str, ...]) -> list[Item]:
    fill = {"wiki": options.wiki, "date": options.date}
    latest = options.date == "latest" and "latest" in table
    paths = [path.format(**fill) for path in table["latest" if latest else "files"]] if "files" in table else []
    for name in options.ids or tuple(table.get("ids", ())):
        if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
            raise UserError(f"{name!r} is no id of {kind}", "ids hold letters, digits, dots, dashes and underscores")
        paths += [path.format(id=name, **fill) for path in table.get("each", ())]
    return [
        Item(path.rpartition("/")[2], tuple(f"{mirror.rstrip('/')}/{path}" for mirror in mirrors)) for path in paths
    ]


def _newest(table: dict[str, Any], options: Options, mirrors: Sequence[str], transfer: Transfer) -> Options:
    """The newest date whose checksums are published, in place of "latest", where the publisher lists its dates."""
    if options.date != "latest" or "dates" not in table:
        return options
    page = transfer.text(tuple(f"{mirror.rstrip('/')}/{table['dates']}" for mirror in mirrors)) or ""
    for date in sorted(set(re.findall(r'href="(\d{8})/?"', page)), reverse=True)[:TRIED_DATES]:
        dated = replace(options, date=date)
        path = table["checksums"].format(wiki=options.wiki, date=date)
        listing = transfer.text(tuple(f"{mirror.rstrip('/')}/{path}" for mirror in mirrors)) or ""
        names = [name.rpartition("/")[2].format(wiki=options.wiki, date=date) for name in table["files"]]
        if all(name in listing for name in names):
            return dated
    return options


def _with_checksums(
    items: list[Item], table: dict[str, Any], options: Options, mirrors: Sequence[str], transfer: Transfer
) -> list[Item]:
    if "metadata" in table:
        return [_archived(item, table["metadata"], transfer) for item in items]
    if "checksums" not in table or (options.date == "latest" and "latest" in table):
        return items
    path = table["checksums"].format(wiki=options.wiki, date=options.date)
    listing = transfer.text(tuple(f"{mirror.rstrip('/')}/{path}" for mirror in mirrors))
    if listing is None:
        raise FaultError(
            f"no mirror has the checksums of {options.wiki} {options.date}",
            "see which dates the mirror lists, or use --date latest",
        )
    return [replace(item, checksum=listed_checksum(listing, item.name, options.date)) for item in items]


def listed_checksum(listing: str, name: str, date: str) -> str:
    """A file's checksum in a publisher's list, as ``sha1:…``; a list for "latest" names the real date instead.

    >>> listed_checksum("0123456789abcdef0123456789abcdef  wiki-20260101-all.bz2", "wiki-latest-all.bz2", "latest")
    'md5:0123456789abcdef0123456789abcdef'
    """
    pattern = re.compile(
        re.escape(name).replace(re.escape(date), r"\d{8}" if date == "latest" else re.escape(date)) + "$"
    )
    for digest, listed in LISTED.findall(listing):
        if pattern.fullmatch(listed.rpartition("/")[2]) and len(digest) in ALGORITHMS:
            return f"{ALGORITHMS[len(digest)]}:{digest.lower()}"
    raise FaultError(
        f"the publisher's checksums do not name {name}", "the dump may be unfinished: choose another --date"
    )


def _archived(item: Item, metadata: str, transfer: Transfer) -> Item:
    """The plain text of an Internet Archive item, by its metadata: name, size and checksum.

    https://archive.org/developers/md-read.html
    """
    identifier = item.name.removesuffix("_djvu.txt")
    text = transfer.text((metadata.format(id=identifier),))
    try:
        described = json.loads(text or "")
        files = described["files"]
    except (ValueError, KeyError):
        raise FaultError(f"no metadata for {identifier}", "check the id on the archive's page of the text") from None
    if str(described.get("metadata", {}).get("access-restricted-item", "")).lower() == "true":
        raise UserError(f"{identifier} is only lent, not given away", "choose a text without a waiting list")
    for file in files:
        if file.get("format") == ARCHIVED_TEXT or file.get("name") == item.name:
            name, size = str(file["name"]), str(file.get("size", ""))
            checksum = next((f"{key}:{file[key]}" for key in ("sha1", "md5") if key in file), "")
            urls = tuple(url.removesuffix(item.name) + quote(name) for url in item.urls)
            return Item(item.name, urls, read_number(size), checksum)
    raise FaultError(f"{identifier} has no plain text", "choose a text whose page offers FULL TEXT")


def _bytes(number: int) -> str:
    value = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
