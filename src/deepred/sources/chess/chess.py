"""Stage ``chess``: PGN collections come in, dated games as prose go out, each legal from its first move to its last.

Headers are read first: a game that is not wholly before the cutoff is never parsed. What remains is freed of
duplicates across collections, replayed, and written in one of the renderings, chosen by weight and seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepred.base.days import Day, Interval
from deepred.base.draws import rank_of
from deepred.base.errors import FaultError, UserError
from deepred.base.formats import HEAD_BYTES, describe_bytes, describe_file, is_packed
from deepred.base.tables import document_schema, write_rows
from deepred.run.config import Chess
from deepred.run.stage import Counts, Work
from deepred.sources.chess.diagrams import render_positions
from deepred.sources.chess.pgn import RawGame, moves_key, player_key, read_games
from deepred.sources.chess.prose import PlayedGame, render_descriptive, render_movetext, render_narrated, title_of
from deepred.sources.chess.replay import replay

GAMES_PER_SHARD = 2000
"""Games of one output file; replaying them takes some seconds."""
START_POSITION = ["rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR", "w", "KQkq", "-"]
"""The fields of a FEN header that sets up no position but the usual one."""
LICENCE = "game scores are facts and not protected; the prose is generated"
RENDERINGS = ("movetext", "descriptive", "narrated", "positions")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an admitted game lies, so that a worker reads it again without reading the collection."""

    file: str
    offset: int
    key: str
    played: Interval


@dataclass(frozen=True, slots=True)
class Portion:
    """The work of one shard."""

    index: int
    games: tuple[Place, ...]
    renderings: tuple[tuple[str, float], ...]
    seed: int


def narrate_games(
    *,
    world: Path | None,
    config: Chess,
    sources: dict[str, list[Path]],
    cutoff: Day,
    straddling: str,
    seed: int,
    out: Path,
    work: Work,
) -> Counts:
    """Write the games before the cutoff as ``documents-*.parquet``; ``world``'s games come through ``sources``."""
    unknown = sorted(set(config.renderings) - set(RENDERINGS))
    if unknown or sum(config.renderings.values()) <= 0:
        raise UserError(
            f"chess.renderings = {config.renderings}: {unknown or 'no positive weight'}", f"use {RENDERINGS}"
        )
    counts = Counts()
    admitted = list(admit_games(sources.get("files", []), cutoff, straddling, counts))
    if config.limit:
        counts.drop("limit", max(0, len(admitted) - config.limit))
        admitted = sorted(admitted, key=lambda place: rank_of(seed, "limit", place.key))[: config.limit]
        admitted.sort(key=lambda place: (place.file, place.offset))
    weights = tuple((name, config.renderings[name]) for name in RENDERINGS if config.renderings.get(name, 0) > 0)
    portions = [
        Portion(start // GAMES_PER_SHARD, tuple(admitted[start : start + GAMES_PER_SHARD]), weights, seed)
        for start in range(0, len(admitted), GAMES_PER_SHARD)
    ]
    work.report(counts, 0, len(portions))
    counts.merge(work.map_shards(write_portion, [(f"games-{part.index:05d}", part) for part in portions], out))
    return counts


def admit_games(files: Sequence[Path], cutoff: Day, straddling: str, counts: Counts) -> Iterator[Place]:
    """The games that may be replayed, by headers alone; the others are counted by reason.

    A duplicate has the same players (surname and initial), the same moves, and a date that its twin's does not exclude.
    """
    seen: dict[tuple[str, str, bytes], list[Interval]] = {}
    unreadable: list[str] = []
    for path in files:
        found = 0
        _check_text(path)
        for game in read_games(path):
            found += 1
            counts.add("games")
            played = game.date()
            reason = _refusal(game, played, cutoff, straddling)
            if reason:
                counts.drop(reason)
                if reason == "straddling":
                    counts.tally("straddling", game.headers.get("Date", ""))
                continue
            assert played
            counts.add("before-cutoff")
            key = (
                player_key(game.headers.get("White", "")),
                player_key(game.headers.get("Black", "")),
                moves_key(game.movetext),
            )
            twins = seen.setdefault(key, [])
            if any(twin.first <= played.last and played.first <= twin.last for twin in twins):
                counts.drop("duplicate")
                continue
            twins.append(played)
            name = hashlib.blake2b(f"{key[0]}|{key[1]}|{played.first}|".encode() + key[2], digest_size=8).hexdigest()
            yield Place(str(path), game.offset, name, played)
        counts.add("files")
        if not found:
            counts.drop("no-games")
            unreadable.append(path.name)
    if unreadable:
        counts.notes["files without a game"] = unreadable
    if files and len(unreadable) == len(files):
        raise UserError(f"no chess game in {', '.join(unreadable[:5])}", "chess.files must name PGN collections")
    if counts.numbers["games"] and counts.drops["undated"] == counts.numbers["games"]:
        undated = (
            f"none of {counts.numbers['games']:,} games has a date, first {files[0].name}: {describe_file(files[0])}"
        )
        if files[0].read_bytes()[:1000].lstrip().startswith(b"<"):
            raise UserError(undated, "chess.files must name PGN collections")
        counts.notes["undated"] = undated


def _check_text(path: Path) -> None:
    """``UserError`` for an archive or another file that is no text: its bytes would be games without a date."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if is_packed(head) and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UserError(
            f"{path} is {describe_bytes(head)}, not a PGN collection", "unpack it: chess.files takes .pgn files"
        )


def _refusal(game: RawGame, played: Interval | None, cutoff: Day, straddling: str) -> str:
    if played is None:
        return "undated"
    side = played.side(cutoff)
    if side == "after":
        return "after-cutoff"
    if side == "straddling" and straddling == "drop":
        return "straddling"
    if game.headers.get("Variant", "").lower() not in ("", "standard", "normal", "chess", "from position"):
        return "variant"
    position = game.headers.get("FEN", "").split()
    if position[:4] != START_POSITION and (position or game.headers.get("SetUp") == "1"):
        return "setup-position"
    return "" if game.movetext.strip() else "no-moves"


def write_portion(portion: Portion, folder: Path) -> Counts:
    """Replay and render one shard's games into its Parquet file."""
    counts = Counts()
    write_rows(folder / f"documents-{portion.index:05d}.parquet", _documents(portion, counts), document_schema())
    return counts


def _documents(portion: Portion, counts: Counts) -> Iterator[dict[str, Any]]:
    for place in portion.games:
        rendering = choose_rendering(portion.renderings, portion.seed, place.key)
        played = replay(_read_at(place), place.played, rendering)
        if isinstance(played, str):
            counts.drop(played)
            continue
        text = render(played, rendering, f"{portion.seed}:{place.key}")
        counts.add("documents")
        counts.add("bytes", len(text.encode()))
        counts.tally("rendering", rendering)
        counts.tally("decade", f"{place.played.first // 100000}0s")
        yield {
            "id": f"chess:{place.key}",
            "source": "chess",
            "title": title_of(played),
            "text": text,
            "first": place.played.first,
            "last": place.played.last,
            "author": "",
            "licence": LICENCE,
            "origin": f"{Path(place.file).name}@{place.offset}",
        }


def _read_at(place: Place) -> RawGame:
    for game in read_games(Path(place.file), place.offset):
        return game
    raise FaultError(f"{place.file} changed: no game at byte {place.offset}", "run again")


def choose_rendering(weights: Sequence[tuple[str, float]], seed: int, key: str) -> str:
    """One of the renderings by weight, the same for the same game and seed wherever it stands."""
    at = rank_of(seed, "rendering", key) / 2**64 * sum(weight for _, weight in weights)
    for name, weight in weights:
        at -= weight
        if at < 0:
            return name
    return weights[-1][0]


def render(game: PlayedGame, rendering: str, seed: str) -> str:
    """The text of a game in the named rendering; it must have been replayed for that rendering."""
    if rendering == "narrated":
        return render_narrated(game, seed)
    if rendering == "positions":
        return render_positions(game, seed)
    return render_descriptive(game) if rendering == "descriptive" else render_movetext(game)
