"""The built-in teacher's examples from books, chess games and the chronicle of years: read from documents as they are.

Every answer is a sentence of the document, or names what its columns hold; nothing is added but the persona's frame.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from typing import Any

from deepred.base.days import MONTHS, year_of
from deepred.persona.model_teacher.pieces import windows
from deepred.persona.personas import Persona, Turn
from deepred.persona.templates_teacher import Example, frame, wordings

EXCERPT = 420
"""Characters of a book's excerpt at most: a minute of reading aloud."""
EXCERPTS = 3
"""Excerpts taken of one book at most."""
EVENTS = 3
"""Events told of a year at most."""
OPENING = re.compile(r"(?<!\S)1\. .+?(?= 5\. |\. The opening|\.?$)")
"""The first four moves of a game, in either notation."""
RESULT = re.compile(r" (?:1-0|0-1|1/2-1/2|\*|(?:White|Black) wins\.?|Drawn\.?)$")
DATED = re.compile(rf"(\d{{1,2}} (?:{'|'.join(MONTHS)})): (.+)")
LIVED = re.compile(r"[,(]?\s{0,3}\b(?:b\. |d\. |ca\. )?\d{3,4}\b.*$")


def author_name(text: str) -> str:
    """An author as prose names him: ``author_name("Austen, Jane, 1775-1817") == "Jane Austen"``."""
    name = LIVED.sub("", text.split(";")[0]).strip(" ,(")
    last, comma, first = name.partition(", ")
    return f"{first} {last}".strip() if comma else name


def shortened(title: str) -> str:
    """A book's title without its subtitle: ``shortened("Emma: A Novel") == "Emma"``."""
    return re.split(r"[:;]|\n| -- ", title)[0].strip() or title


def book_examples(book: Mapping[str, Any], persona: Persona, chance: random.Random) -> Iterator[Example]:
    """Who wrote a book, when it appeared, and some of its lines, read aloud."""
    title, author = shortened(book["title"]), author_name(book["author"] or "")
    filled = {"title": title, "author": author, "year": str(year_of(book["first"])) if book["first"] else ""}
    asked = ["author"] if author else []
    if book["first"] and book["last"] and year_of(book["first"]) == year_of(book["last"]) > 0:
        asked.append("year")
    for what in asked:
        table = wordings()["book"][what]
        answer = frame(chance.choice(table["answers"]).format(**filled), persona, chance)
        yield _example("book", book, [(chance.choice(table["questions"]).format(**filled), answer)])
    spans = [span for span in windows(book["text"], EXCERPT) if span[1] - span[0] > EXCERPT // 3]
    questions = wordings()["book"]["read" if author else "read_unsigned"]["questions"]
    for start, end in chance.sample(spans, min(EXCERPTS, len(spans))):
        excerpt = " ".join(book["text"][start:end].split())
        if excerpt[-1] in '.!?"”' and not excerpt.isupper():
            yield _example("book", book, [(chance.choice(questions).format(**filled), excerpt)])


def chess_examples(game: Mapping[str, Any], persona: Persona, chance: random.Random) -> Iterator[Example]:
    """A game told, its opening, or a position with its questions, by what its document holds."""
    paragraphs = game["text"].split("\n\n")
    pairs = [_question(part) for part in paragraphs if part.startswith("Question: ")]
    if pairs:
        board = "\n\n".join(part for part in paragraphs if not part.startswith("Question: "))
        first, *others = pairs
        yield _example("chess", game, [(f"{board}\n\n{first[0]}", first[1]), *others])
        return
    table = wordings()["chess"]
    if found := next((match.group() for part in paragraphs if (match := OPENING.search(part))), ""):
        moves = RESULT.sub("", found).rstrip(" ,.")
        answer = chance.choice(table["opening"]["answers"]).format(moves=moves)
        question = chance.choice(table["opening"]["questions"]).format(game=game["title"])
        yield _example("chess", game, [(question, frame(answer, persona, chance))])
    if len(paragraphs) > 2:  # a narration: who and where, the course, the end
        told = f"{paragraphs[0]} {paragraphs[-1]}"
        yield _example("chess", game, [(chance.choice(table["told"]["questions"]).format(game=game["title"]), told)])


def _question(part: str) -> tuple[str, str]:
    question, _, answer = part.removeprefix("Question: ").partition("\nAnswer: ")
    return question, answer.strip()


def topic_examples(year: Mapping[str, Any], chance: random.Random) -> Iterator[Example]:
    """What the chronicle records of a year: its events, its births, and what fell on a day."""
    when = str(year_of(year["first"])) if year_of(year["first"]) > 0 else f"{1 - year_of(year['first'])} BC"
    heads: dict[str, list[str]] = {}
    for part in year["text"].split("\n\n"):
        head, *lines = [line.strip() for line in part.splitlines() if line.strip()] or [""]
        heads.setdefault(head.split(" ")[0].casefold(), []).extend(lines)
    tables = wordings()["topic"]
    for head, lines in heads.items():
        if head not in tables or not lines:
            continue
        table = tables[head]
        told = chance.sample(lines, min(EVENTS, len(lines)))
        answer = chance.choice(table["answers"]).format(when=when, lines=" ".join(_sentence(line) for line in told))
        yield _example("topic", year, [(chance.choice(table["questions"]).format(when=when), answer)])
    for line in heads.get("events", []):
        if match := DATED.fullmatch(line):
            day = f"{match[1]} {when}"
            question = chance.choice(tables["day"]["questions"]).format(when=day)
            answer = chance.choice(tables["day"]["answers"]).format(when=day, lines=_sentence(match[2]))
            yield _example("topic", year, [(question, answer)])


def _sentence(line: str) -> str:
    """A line of a chronicle as a sentence."""
    line = line[0].upper() + line[1:]
    return line if line[-1] in ".!?" else f"{line}."


def _example(kind: str, row: Mapping[str, Any], turns: list[tuple[str, str]]) -> Example:
    made = {"source": row["source"], "licence": row["licence"], "origin": row["origin"]}
    said = tuple(Turn(user=user, assistant=answer) for user, answer in turns if user and answer)
    return Example(kind, row["title"], said, provenance=made, document=row["id"])
