"""The generated world: a fictional encyclopedia in which everything is known, in the formats of the real ones.

In: a seed. Out: a MediaWiki dump with its index, a Wikidata JSON dump, Gutenberg books with their catalogue, PGN games,
and the truth: every sentence with its fact and the day from which it could have been written, every fact with its
probes, every article with its dates and class. The same seed gives the same bytes; another seed another world.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from deepred.base.days import day
from deepred.base.tables import schema_of, write_rows
from deepred.run.config import World
from deepred.run.stage import Counts, Work
from deepred.sources.world.books_and_games import write_library
from deepred.sources.world.mediawiki_dump import Page, other_pages, wikitext, write_dump
from deepred.sources.world.wikidata_dump import write_claims
from deepred.sources.world.world_article import Article
from deepred.sources.world.world_articles import Encyclopedia
from deepred.sources.world.world_facts import Entity, Facts, class_of, make_facts, phrases
from deepred.sources.world.world_sentences import Sentence, prompts

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_PAGE = 10


def build_world(*, config: World, out: Path, work: Work) -> Counts:
    """Write the whole world below ``out``; returns what it holds, with the mix of late sentences in the notes."""
    world = make_facts(config)
    articles = Encyclopedia(config, world).write()
    random = Random(f"pages {config.seed}")
    random.shuffle(articles)
    for place, article in enumerate(articles):
        article.page_id = FIRST_PAGE + place
    pages = [Page(a.page_id, a.title, wikitext(a, random)) for a in articles]
    others = other_pages(articles, world, FIRST_PAGE + len(pages))
    write_dump(pages + others, out)
    entities = write_claims(world, out)
    library = write_library(world, config.seed, out)
    truth = out / "truth"
    truth.mkdir(exist_ok=True)
    write_rows(truth / "sentences.parquet", _sentence_rows(articles), sentence_schema())
    write_rows(truth / "facts.parquet", _fact_rows(world), truth_fact_schema())
    write_rows(truth / "articles.parquet", (_article_row(a, world) for a in articles), truth_article_schema())
    counts = measure(articles)
    counts.add("documents", len(articles))
    counts.add("bytes", sum(len(page.text.encode()) for page in pages))
    counts.add("facts", len(world.facts))
    counts.add("entities", entities)
    for name, number in library.items():
        counts.add(name, number)
    work.report(counts, 1, 1)
    return counts


def measure(articles: list[Article]) -> Counts:
    """The mix of late sentences by reason, and the share of facts' statements without a year."""
    counts = Counts()
    told = [s for article in articles for s in article.sentences() if s.true]
    late = Counter(sentence.why for sentence in told if sentence.late)
    total = max(sum(late.values()), 1)
    stated = [sentence for sentence in told if sentence.fact]
    counts.add("sentences", len(told))
    counts.add("late sentences", total)
    counts.add("statements", len(stated))
    counts.notes["late mix"] = {why: round(number / total, 4) for why, number in sorted(late.items())}
    counts.notes["statements without a year"] = round(
        sum(not has_year(s.text) for s in stated) / max(len(stated), 1), 4
    )
    return counts


def has_year(text: str) -> bool:
    """Whether a text holds four digits that could be a year: ``has_year("In 1983, …")``."""
    words = (word.strip(".,;:()–s") for word in text.replace("–", " ").split())
    return any(len(word) == 4 and word.isdigit() and 1000 <= int(word) < 2100 for word in words)


def sentence_schema() -> pa.Schema:
    """``truth/sentences.parquet``: one row per sentence as a correct extraction yields it."""
    return schema_of(
        "page_id: int64; title text fact: string; known: int32; why: string; late: bool; floor_text: string"
    )


def truth_fact_schema() -> pa.Schema:
    """``truth/facts.parquet``: one row per fact with its probes; ``floor_object`` is what the floor is told instead."""
    return schema_of(
        "fact relation subject object object_type: string; known: int32; era floor_object: string; "
        "prompts neutral aliases: string*"
    )


def truth_article_schema() -> pa.Schema:
    """``truth/articles.parquet``: class relative to the hinge, the subject's interval, its first-known day, its end."""
    return schema_of("page_id: int64; title class: string; first last first_known: int32; ended: bool")


def _sentence_rows(articles: list[Article]) -> Iterator[dict[str, Any]]:
    for article in articles:
        for sentence in article.sentences():
            if sentence.true:
                yield _sentence_row(article, sentence)


def _sentence_row(article: Article, sentence: Sentence) -> dict[str, Any]:
    return {
        "page_id": article.page_id,
        "title": article.title,
        "text": sentence.text,
        "fact": sentence.fact,
        "known": sentence.known,
        "why": sentence.why,
        "late": sentence.late,
        "floor_text": sentence.floor,
    }


def _fact_rows(world: Facts) -> Iterator[dict[str, Any]]:
    for fact in world.facts:
        statements, neutral = prompts(fact)
        aliases = [fact.object.title.split()[1]] if fact.object.kind == "person" else []
        yield {
            "fact": fact.id,
            "relation": fact.relation,
            "subject": fact.subject.label,
            "object": fact.object.label,
            "object_type": phrases()["relations"][fact.relation]["object"],
            "known": fact.known,
            "era": fact.era,
            "floor_object": fact.floor.label,
            "prompts": statements,
            "neutral": neutral,
            "aliases": aliases,
        }


def _article_row(article: Article, world: Facts) -> dict[str, Any]:
    row: dict[str, Any] = {"page_id": article.page_id, "title": article.title}
    if article.entity:
        return row | _dates_of(article.entity) | {"class": class_of(article.entity, world.hinge)}
    if article.year is None:
        return row | {"class": "U", "first": None, "last": None, "first_known": None, "ended": False}
    first, last = day(article.year), day(article.year, 12, 31)
    hinge = world.hinge
    name = "N" if first >= hinge else "O" if last < hinge else "S"
    return row | {"class": name, "first": first, "last": last, "first_known": first, "ended": True}


def _dates_of(entity: Entity) -> dict[str, Any]:
    last = entity.end.last if entity.end else None
    return {"first": entity.first.first, "last": last, "first_known": entity.known.first, "ended": last is not None}
