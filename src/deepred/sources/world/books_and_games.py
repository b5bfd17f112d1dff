"""The generated world's books and chess games: Gutenberg texts with their catalogue, and a PGN collection.

In: the world's people and towns. Out: ``books/*.txt``, ``books/pg_catalog.csv`` and ``games.pgn``. The prose tells of
crafts and journeys and states no probed fact; the games replay a dozen short sequences of legal moves.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from random import Random

from deepred.base.days import Day, month_of, year_of
from deepred.base.files import write_text
from deepred.sources.world.world_facts import LATEST, Entity, Facts, phrases

GAMES = "games.pgn"
GAME_COUNT = 60

MARK = "THE PROJECT GUTENBERG EBOOK"


def write_library(world: Facts, seed: int, out: Path) -> dict[str, int]:
    """Write books, their catalogue and the games; returns how many of each."""
    random = Random(f"library {seed}")
    books = _write_books(world, random, out / "books")
    games = _games(world, random)
    write_text(out / GAMES, "\n".join(games))
    return {"books": books, "games": len(games)}


def _write_books(world: Facts, random: Random, folder: Path) -> int:
    """Three books from before the hinge, one of them translated, and one from after it."""
    folder.mkdir(exist_ok=True)
    hinge = year_of(world.hinge)
    people = sorted(world.of_kind("person"), key=lambda person: person.profession != "writer")
    early = [person for person in people if person.end and person.end.last < world.hinge]
    late = [person for person in people if person.known.first >= world.hinge]
    authors = [*early[:3], late[0]]
    rows: list[dict[str, str]] = []
    for number, author in enumerate(authors, start=1):
        title = f"The {('Salt', 'Fog', 'Clay', 'Harbour')[number - 1]} Road"
        year = year_of(author.known.first) + 1
        translator = _translator(early, author, year) if number == 3 else None
        text = _book(number, title, author, translator, year, world, random)
        (folder / f"{number:05d}.txt").write_text(text, encoding="utf-8", newline="\r\n")
        names = [_catalogued(author)] + ([f"{_catalogued(translator)} [Translator]"] if translator else [])
        rows.append(
            {
                "Text#": str(number),
                "Type": "Text",
                "Issued": f"{max(hinge, 1990) + number}-05-04",
                "Title": title,
                "Language": "en",
                "Authors": "; ".join(names),
                "Subjects": "Sea stories",
                "LoCC": "PR",
                "Bookshelves": "",
            }
        )
    table = io.StringIO()
    writer = csv.DictWriter(table, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    (folder / "pg_catalog.csv").write_text(table.getvalue(), encoding="utf-8")
    return len(rows)


def _translator(people: list[Entity], author: Entity, year: int) -> Entity | None:
    """Somebody else who was grown up when the book came out."""
    grown = [
        p for p in people if p is not author and p.end and year_of(p.first.first) + 20 < year < year_of(p.end.first)
    ]
    return grown[0] if grown else None


def _catalogued(person: Entity) -> str:
    first, last = person.title.split()
    end = year_of(person.end.first) if person.end else ""
    return f"{last}, {first}, {year_of(person.first.first)}-{end}"


def _book(
    number: int, title: str, author: Entity, translator: Entity | None, year: int, world: Facts, random: Random
) -> str:
    """One text as Project Gutenberg lays it out: header, title page, chapters, licence."""
    heroes = [random.choice(phrases()["first_syllables"]).capitalize() + "ren" for _ in range(2)]
    town = random.choice(world.of_kind("city")).label
    by = f"Translator: {translator.title}\n\n" if translator else ""
    head = (
        f"The Project Gutenberg eBook of {title}\n\nThis ebook is for the use of anyone anywhere at no cost and with\n"
        f"almost no restrictions whatsoever.\n\nTitle: {title}\n\nAuthor: {author.title}\n\n{by}Release date: May 4, "
        f"{max(year_of(world.hinge), 1990) + number} [eBook #{number}]\n\nLanguage: English\n\n"
        f"*** START OF {MARK} {title.upper()} ***\n\n\nProduced by the volunteers of the World\n\n\n"
        f"{title.upper()}\n\nby {author.title}\n\n"
    )
    page = f"Translated by {translator.title}\n\n" if translator else ""
    page += f"{year}\n\n\n"
    scenes: list[str] = phrases()["library"]["scenes"]
    chapters: list[str] = []
    for chapter in range(1, 5):
        paragraphs: list[str] = []
        lines = random.sample(scenes, len(scenes))
        for start in range(0, len(lines), 4):
            prose = " ".join(lines[start : start + 4])
            paragraphs.append(_wrapped(prose.replace("{P}", random.choice(heroes)).replace("{C}", town)))
        chapters.append(f"CHAPTER {('I', 'II', 'III', 'IV')[chapter - 1]}\n\n\n" + "\n\n".join(paragraphs))
    foot = f"\n\n\n*** END OF {MARK} {title.upper()} ***\n\n\nUpdated editions will replace the previous one.\n"
    return head + page + "\n\n\n".join(chapters) + foot


def _wrapped(prose: str, width: int = 70) -> str:
    lines = [""]
    for piece in prose.split():
        if len(lines[-1]) + len(piece) + 1 > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + piece
    return "\n".join(lines)


def _games(world: Facts, random: Random) -> list[str]:
    """Games between the world's players: most dated to the day, some to the month or year, three around the hinge."""
    year = year_of(world.hinge)
    before = world.hinge - 1 if world.hinge % 100 > 1 else world.hinge
    dates = [f"{year}.??.??", _pgn_date(before), _pgn_date(world.hinge)]
    for place in range(GAME_COUNT - len(dates)):
        when = 1850 + place * (min(1990, LATEST) - 1850) // (GAME_COUNT - len(dates))
        when += when == year
        month, number = f"{random.randint(1, 12):02d}", f"{random.randint(1, 28):02d}"
        month, number = random.choices(((month, number), (month, "??"), ("??", "??")), (8, 1, 1))[0]
        dates.append(f"{when}.{month}.{number}")
    return [_game(date, world, random, place) for place, date in enumerate(sorted(dates))]


def _pgn_date(value: Day) -> str:
    return f"{year_of(value)}.{month_of(value):02d}.{value % 100:02d}"


def _game(date: str, world: Facts, random: Random, place: int) -> str:
    year = int(date[:4])
    everyone = [e for e in world.of_kind("person") if e.profession == "chess player"]
    alive = [
        p for p in everyone if year_of(p.first.first) + 18 <= year and (p.end is None or year_of(p.end.first) > year)
    ]
    pool = sorted(alive, key=lambda p: abs(year_of(p.known.first) - year))[:6]
    players = random.sample(pool, 2) if len(pool) >= 2 else random.sample(everyone, 2)
    white, black = (f"{p.title.split()[1]}, {p.title.split()[0]}" for p in players)
    games: list[list[str]] = phrases()["library"]["games"]
    result, moves = games[place % len(games)]
    town = random.choice(world.of_kind("city")).title
    tags = {
        "Event": "Match",
        "Site": town,
        "Date": date,
        "Round": str(place % 9 + 1),
        "White": white,
        "Black": black,
        "Result": result,
    }
    plies = moves.split()
    text = " ".join(f"{n // 2 + 1}. {move}" if n % 2 == 0 else move for n, move in enumerate(plies))
    return "".join(f'[{key} "{value}"]\n' for key, value in tags.items()) + f"\n{_wrapped(f'{text} {result}', 80)}\n"
