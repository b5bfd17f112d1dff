"""``deepred download``: what to fetch for a kind of data, how large it is, and the files, verified, in a folder.

Where things lie is data (``downloads.toml``). A plan is made first, with sizes and published checksums, so that size
and time can be stated before anything large is fetched; the transfer of one file is ``transfer.py``'s.
"""

from __future__ import annotations

import json
import re
import tomllib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from deepred.errors import FaultError, UserError
from deepred.transfer import Item, Transfer

KINDS = ("wikipedia", "wikidata", "yago", "gutenberg", "chess", "chess-books")
LISTED = re.compile(r"^([0-9a-fA-F]{32,64})\s+\*?(\S+)\s*$", re.MULTILINE)
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
            parts.append(f"{unverified} without a published checksum, verified by length only")
        return f"{', '.join(parts)}. Licence: {self.licence}."


@cache
def shipped_sources() -> dict[str, dict[str, Any]]:
    """The tables of ``downloads.toml``."""
    return tomllib.loads(resources.files("deepred").joinpath("downloads.toml").read_text(encoding="utf-8"))


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
    items = _with_checksums(_items(kind, table, options, mirrors), table, options, mirrors, transfer)
    if not items:
        raise UserError(f"nothing to download for {kind}", "name what you want with --id")
    # sizes of hundreds of small files are not worth hundreds of requests
    asked = [
        item if item.size is not None or len(items) > 20 else replace(item, size=transfer.size(item.urls))
        for item in items
    ]
    return Plan(kind, tuple(asked), str(table["licence"]), transfer.pause, int(table["rate"]))


def fetch_plan(plan: Plan, folder: Path, transfer: Transfer) -> list[Path]:
    """All files of a plan below ``folder/<kind>``, verified; archives of games are unpacked beside them.

    A file that no mirror has does not stop the others; the error at the end names all of them.
    """
    paths: list[Path] = []
    failed: list[str] = []
    for item in plan.items:
        try:
            path = transfer.fetch(item, folder / plan.kind)
        except FaultError as error:
            failed.append(error.message)
            continue
        paths += unpack(path) if path.suffix == ".zip" and plan.kind == "chess" else [path]
    if failed:
        raise FaultError(
            f"{len(failed)} of {len(plan.items)} files failed: {failed[0]}", "run the same command again to resume"
        )
    return paths


def unpack(path: Path) -> list[Path]:
    """The PGN files of an archive, written beside it; a damaged archive is removed so that it is fetched again."""
    written: list[Path] = []
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not name.lower().endswith(".pgn"):
                    continue
                # only the base name: an archive must not choose where it writes
                target = path.parent / Path(name).name
                partial = target.with_name(target.name + ".tmp")
                partial.write_bytes(archive.read(name))
                partial.replace(target)
                written.append(target)
    except zipfile.BadZipFile:
        path.unlink()
        raise FaultError(f"{path.name} is a damaged archive", "run the same command again") from None
    return written


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
    """An Internet Archive file with the size and SHA-1 that its metadata states."""
    identifier = item.name.removesuffix("_djvu.txt")
    text = transfer.text((metadata.format(id=identifier),))
    try:
        files = json.loads(text or "")["files"]
    except (ValueError, KeyError):
        raise FaultError(f"no metadata for {identifier}", "check the id on the archive's page of the text") from None
    for file in files:
        if file.get("name") == item.name:
            size = str(file.get("size", ""))
            return replace(
                item,
                size=int(size) if size.isdigit() else None,
                checksum=f"sha1:{file['sha1']}" if "sha1" in file else "",
            )
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
