"""One file from the network, whole and verified: it resumes where it was cut and appears only when right.

The bytes lie in ``NAME.part`` until their length and checksum agree with what the publisher states; a server that cuts,
stalls, ignores a range, changes the file under way or sends the wrong bytes is asked again, then the next mirror is.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from deepred.base.errors import FaultError, UserError
from deepred.base.given import read_number

USER_AGENT = "deepred/0.1 ({contact}; one connection, resumes, obeys Retry-After)"
"""Publishers ask automatic clients to name themselves and a contact (https://w.wiki/4wJS, Wikimedia's policy)."""
STALLED = 30.0
"""Seconds without a byte after which a connection counts as stalled."""
TRIES = 5
"""Attempts without a new byte before a mirror is given up; any progress starts the count anew."""
BACKOFF = 2.0
"""Seconds before the second attempt; doubled each time, up to a minute."""
MAX_WAIT = 600.0
"""Seconds that a server's Retry-After can make us wait at most, an attempt."""
SPARE = 256 << 20
"""Bytes that stay free on the disk beside the file."""
CHECK_SPACE = 16 << 20
"""Bytes after which the free space is looked at again: others write to the disk too, and a length may be a lie."""
LONGEST_TEXT = 32 << 20
"""Bytes of a list of checksums or of metadata that are read at most, unpacked; the longest known are below a tenth."""
RETRY = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Item:
    """A file to fetch: its name on disk, where it lies (mirrors in order), and what the publisher says of it."""

    name: str
    urls: tuple[str, ...]
    size: int | None = None
    checksum: str = ""
    """``sha1:…``, ``md5:…`` or ``sha256:…``; empty where none is published."""


ProgressCall = Callable[[str, int, int | None], None]


def _no_progress(name: str, done: int, total: int | None) -> None:
    """Nothing."""


@dataclass
class Transfer:
    """A polite client: one request at a time, ``pause`` seconds between two requests to a host."""

    pause: float = 1.0
    rate_limit: int = 0
    """Bytes a second at most (0: no limit)."""
    contact: str = ""
    """A mail address or a page that publishers can turn to, sent with every request."""
    stalled: float = STALLED
    backoff: float = BACKOFF
    progress: ProgressCall = _no_progress
    sleep: Callable[[float], None] = time.sleep
    asked: dict[str, float] = field(default_factory=dict[str, float])

    def client(self) -> httpx.Client:
        """An HTTP client that names itself and follows redirects."""
        agent = USER_AGENT.format(contact=self.contact or "no contact given")
        return httpx.Client(headers={"User-Agent": agent}, timeout=self.stalled, follow_redirects=True)

    def wait(self, url: str) -> None:
        """Keep the pause between two requests to one host."""
        host = urlsplit(url).netloc
        left = self.asked.get(host, -1e9) + self.pause - time.monotonic()
        if left > 0:
            self.sleep(left)
        self.asked[host] = time.monotonic()

    def text(self, urls: tuple[str, ...]) -> str | None:
        """A small text (a checksum list) from the first mirror that has it; None where none that answers has."""
        problems: list[str] = []
        with self.client() as client:
            for url in urls:
                self.wait(url)
                try:
                    text = _short_text(client, url)
                except (httpx.HTTPError, FaultError) as error:
                    problems.append(f"{urlsplit(url).netloc}: {error}")
                    continue
                if text is not None:
                    return text
        if urls and len(problems) == len(urls):
            name = urls[0].rpartition("/")[2]
            raise FaultError(f"no mirror gives {name} ({'; '.join(problems)})", "check the network, or give a --mirror")
        return None

    def size(self, urls: tuple[str, ...]) -> int | None:
        """The length that the first answering mirror states, without fetching the file."""
        with self.client() as client:
            for url in urls:
                self.wait(url)
                try:
                    answer = client.head(url)
                except httpx.HTTPError:
                    continue
                length = read_number(answer.headers.get("content-length", ""))
                if answer.status_code == 200 and length is not None:
                    return length
        return None

    def fetch(self, item: Item, folder: Path) -> Path:
        """The file in ``folder``, complete and verified; one that is there already is checked and not fetched again.

        Raises ``UserError`` for a full disk, ``FaultError`` where no mirror gave the right bytes.
        """
        target = folder / item.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            if not _problem(target, item):
                discard(target)
                return target
            target.replace(_part(target))
        require_space(target, max(0, (item.size or 0) - _length(target)))
        problems: list[str] = []
        for url in item.urls:
            problem = self._from_mirror(url, target, item)
            if not problem:
                _part(target).replace(target)
                _state(target).unlink(missing_ok=True)
                return target
            problems.append(f"{urlsplit(url).netloc}: {problem}")
        raise FaultError(
            f"{item.name} could not be fetched: {'; '.join(problems)}", "run the same command again to resume"
        )

    def _from_mirror(self, url: str, target: Path, item: Item) -> str:
        """Fetch into ``.part`` from one mirror; returns what is wrong, or nothing."""
        failures = 0
        rejected = False
        with self.client() as client:
            while True:
                before = _length(target)
                problem, final = self._attempt(client, url, target, item)
                if not problem:
                    problem = _problem(_part(target), item)
                    if not problem:
                        return ""
                    # wrong bytes cannot be resumed: from the start once more, then another mirror
                    discard(target)
                    if rejected:
                        return problem
                    rejected = True
                if final:
                    return problem
                failures = 1 if _length(target) > before else failures + 1
                if failures >= TRIES:
                    return problem
                self.sleep(min(60.0, self.backoff * 2 ** (failures - 1)))

    def _attempt(self, client: httpx.Client, url: str, target: Path, item: Item) -> tuple[str, bool]:
        """One request; the problem (none: the server sent all it announced) and whether to give this mirror up."""
        start, tag = _length(target), _read_tag(target, url)
        if start and not tag and not item.checksum:
            # nothing would tell that the file has changed, or differs on this mirror, since the part was fetched
            discard(target)
            start = 0
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
            if tag:
                headers["If-Range"] = tag
        self.wait(url)
        try:
            with client.stream("GET", url, headers=headers) as answer:
                if answer.status_code == 416:
                    # nothing is left to send, or the file has become shorter: length and checksum will tell
                    if item.size is None or item.size == start:
                        return "", False
                    discard(target)
                    return "the server refused to resume", False
                if answer.status_code in RETRY:
                    self._obey(answer)
                    return f"HTTP {answer.status_code}", False
                if answer.status_code not in (200, 206):
                    return f"HTTP {answer.status_code}", True
                start = start if answer.status_code == 206 and _range_start(answer) == start else 0
                if answer.status_code == 206 and start == 0 and _range_start(answer):
                    discard(target)
                    return "the server sent another range than asked", False
                return self._receive(answer, target, item, start)
        except httpx.TimeoutException:
            return "no data for too long", False
        except httpx.HTTPError as error:
            return f"the connection broke ({type(error).__name__})", False

    def _receive(self, answer: httpx.Response, target: Path, item: Item, start: int) -> tuple[str, bool]:
        stated = answer.headers.get("content-length", "")
        total = item.size or (start + length if (length := read_number(stated)) is not None else None)
        asked = str(answer.history[0].url) if answer.history else str(answer.url)
        _state(target).write_text(json.dumps({"url": asked, "tag": _tag(answer)}), encoding="utf-8")
        done, began = start, time.monotonic()
        require_space(target, max(0, (total or 0) - start))
        looked = start
        with told_of_full_disk(target), _part(target).open("r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            # unchunked: what came before a cut must reach the file
            for chunk in answer.iter_raw():
                file.write(chunk)
                done += len(chunk)
                self.progress(item.name, done, total)
                if item.size is not None and done > item.size:
                    break
                if done - looked > CHECK_SPACE:
                    looked = done
                    file.flush()
                    require_space(target, max(0, (total or 0) - done))
                if self.rate_limit:
                    self.sleep(max(0.0, (done - start) / self.rate_limit - (time.monotonic() - began)))
        if total is not None and done < total:
            return f"{done:,} of {total:,} bytes came", False
        return "", False

    def _obey(self, answer: httpx.Response) -> None:
        wait = seconds_to_wait(answer.headers.get("retry-after", ""), time.time())
        if wait > 0:
            self.sleep(min(MAX_WAIT, wait))


def seconds_to_wait(text: str, now: float) -> float:
    """What a Retry-After header asks for, as a number of seconds or a date; 0 where it asks for nothing readable.

    >>> seconds_to_wait("120", 0.0), seconds_to_wait("Thu, 01 Jan 1970 00:01:00 GMT", 20.0)
    (120.0, 40.0)
    """
    if (seconds := read_number(text)) is not None:
        return float(seconds)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except ValueError:
        return 0.0


def checksum_of(path: Path, algorithm: str) -> str:
    """A file's checksum in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _problem(path: Path, item: Item) -> str:
    """What is wrong with a complete file: its length or its checksum."""
    if not path.exists():
        return "nothing was sent"
    size = path.stat().st_size
    if item.size is not None and size != item.size:
        return f"it holds {size:,} bytes, not {item.size:,}"
    algorithm, _, expected = item.checksum.partition(":")
    if not expected:
        return ""
    actual = checksum_of(path, algorithm)
    return "" if actual == expected.lower() else f"its {algorithm} is {actual}, not the published {expected}"


def _short_text(client: httpx.Client, url: str) -> str | None:
    """A text of bounded length; None where the server has none. Raises FaultError for a longer one."""
    text = bytearray()
    with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
        if answer.status_code != 200:
            return None
        for chunk in answer.iter_bytes(1 << 16):
            text += chunk
            if len(text) > LONGEST_TEXT:
                raise FaultError(f"more than {LONGEST_TEXT >> 20} MB of a list")
        return text.decode(answer.charset_encoding or "utf-8", errors="replace")


def require_space(target: Path, needed: int) -> None:
    """Raise UserError where so many bytes more would leave too little of the disk free."""
    free = shutil.disk_usage(target.parent).free
    if needed + SPARE > free:
        raise UserError(
            f"{target.name} needs {needed:,} bytes and {SPARE:,} to spare, {free:,} are free in {target.parent}",
            "free space or set DEEPRED_DATA; the same command goes on where it stopped",
        )


@contextmanager
def told_of_full_disk(target: Path) -> Generator[None]:
    """Turn what a full disk refuses into one line that says what mends it."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise
        raise UserError(
            f"the disk is full: {target.name} cannot be written to {target.parent}",
            "free space or set DEEPRED_DATA; the same command goes on where it stopped",
        ) from None


def _part(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _state(target: Path) -> Path:
    return target.with_name(target.name + ".part.json")


def discard(target: Path) -> None:
    """Remove what there is of a file that is not whole, or that a kill left beside one that is."""
    _part(target).unlink(missing_ok=True)
    _state(target).unlink(missing_ok=True)


def _length(target: Path) -> int:
    part = _part(target)
    return part.stat().st_size if part.exists() else 0


def _tag(answer: httpx.Response) -> str:
    tag = answer.headers.get("etag", "")
    # a weak tag may not be used with If-Range (RFC 9110, 13.1.5)
    return tag if tag and not tag.startswith("W/") else answer.headers.get("last-modified", "")


def _read_tag(target: Path, url: str) -> str:
    """The tag of the part on disk, if this very address gave it: another mirror has tags of its own."""
    try:
        state = json.loads(_state(target).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return ""
    return str(state.get("tag", "")) if state.get("url") == url else ""


def _range_start(answer: httpx.Response) -> int:
    stated = answer.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0]
    return read_number(stated) or 0
