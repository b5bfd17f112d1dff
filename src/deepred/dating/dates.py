"""Stage ``dates``: every source's evidence about an article to its interval and the day from which it was known.

Sources are heard in the order of ``config.use``; of each kind of event the first source that has it decides, and
another that names another year is noted as a conflict. *First known* is the earliest exact event that makes a subject
known (a publication, an opening, an office; never a birth); a person of whom no such event is attested is estimated
to have been known some years after birth, at the latest at death. *Ended* is what has a death, an end, a
single point in time, or is a finished work; the living and the surviving are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.days import Day, year_of
from deepred.base.tables import date_schema, read_rows, write_rows
from deepred.dating.by_model.agreement import compare, write_agreement
from deepred.dating.by_model.date_answers import Answer, Answers, IndexAnswers, answer_evidence, index_answers
from deepred.dating.categories import category_evidence
from deepred.dating.contradictions import CONTRADICTION, contradictions, settle_deaths
from deepred.dating.end_and_renown import ENDS, EXACT_YEARS, estimate, estimate_before, find_end
from deepred.dating.evidence import MENTION, PERIOD, Evidence
from deepred.dating.fact_index import PREFIX, Fact, FactIndex, IndexFacts, index_facts
from deepred.dating.facts.properties import meaning
from deepred.dating.infobox_dates import infobox_evidence
from deepred.dating.lead import lead_evidence
from deepred.run.config import Dates
from deepred.run.stage import Counts

if TYPE_CHECKING:
    from deepred.run.stage import Work

MOST_EVIDENCE = 24
"""Evidence rows kept of an article: the deciding ones come first; a country has thousands."""

_FACT_CONFIDENCE = {"preferred": 0.95, "normal": 0.9}
_QUALIFIED_CONFIDENCE = 0.8
_STARTS = ("birth", "start", "publication", "discovery", "period", "point", "event", "work")
"""Kinds that begin a subject, the strongest first."""
_WEAK = ("work", MENTION)
"""Kinds that say when a subject was, not when it became known; "work" decides only where nothing else does."""


@dataclass(frozen=True)
class Dating:
    """What dates an article: the interval, first known, whether it ended, and the evidence, deciding rows first."""

    first: Day | None
    last: Day | None
    first_known: Day | None
    ended: bool
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class DatePart:
    """One shard: a file of articles, with the index of facts and the sources in their order."""

    path: Path
    index: Path
    use: tuple[str, ...]
    answers: bool = False
    """Whether the index holds a model's answers too."""


def date_articles(
    *,
    articles: Path,
    facts: Path,
    config: Dates,
    out: Path,
    work: Work,
    sources: dict[str, list[Path]] | None = None,
) -> Counts:
    """Write ``dates-*.parquet``, one row an article in the order of the articles; see ``tables.date_schema``."""
    counts = work.map_shards(index_facts, [("index", IndexFacts(facts, articles))], out)
    given = (sources or {}).get("answers", []) if "llm" in config.use else []
    if given:
        counts.merge(work.map_shards(index_answers, [("answers", IndexAnswers(tuple(given)))], out))
    files = sorted(articles.glob("articles-*.parquet"))
    shards = [(path.stem, DatePart(path, out, tuple(config.use), bool(given))) for path in files]
    counts.merge(work.map_shards(date_part, shards, out))
    if given:
        write_agreement(counts, out)
    for path in sorted(out.glob(f"{PREFIX}*")):  # every shard that needs them is recorded as done
        path.unlink()
    return counts


def date_part(argument: DatePart, folder: Path) -> Counts:
    """Write the dates of one file of articles."""
    counts = Counts()
    index = FactIndex(argument.index)
    name = argument.path.name.replace("articles-", "dates-", 1)
    write_rows(folder / name, _rows(argument, index, counts), date_schema())
    return counts


def _rows(argument: DatePart, index: FactIndex, counts: Counts) -> Iterator[dict[str, Any]]:
    columns = ["page_id", "title", "text", "categories", "infobox_dates"]
    answers = Answers(argument.index) if argument.answers else None
    for article in read_rows(argument.path.parent, argument.path.name, columns):
        evidence = list(gather(article, index.find(article["title"]), argument.use))
        dating = resolve(evidence, argument.use)
        if answers and (found := answers.find(article["title"], article["text"])):
            dating = _hear_model(dating, evidence, *found, argument.use, counts)
        counts.add("documents")
        counts.add("dated" if dating.first_known is not None else "undated")
        for source in sorted({row.source for row in evidence if row.first is not None}):
            counts.tally("dated by", source)
        if dating.first_known is not None:
            counts.tally("decided by", dating.evidence[0].source)
            counts.tally("decades", f"{year_of(dating.first_known) // 10 * 10}s")
        if any("conflict" in row.note for row in dating.evidence):
            counts.add("conflicts")
        for why in contradictions(dating.evidence):
            counts.tally("contradictions", why)
        yield {
            "page_id": article["page_id"],
            "title": article["title"],
            "first": dating.first,
            "last": dating.last,
            "first_known": dating.first_known,
            "ended": dating.ended,
            "evidence": [row.row() for row in dating.evidence],
        }


def gather(article: Mapping[str, Any], facts: Iterable[Fact], use: tuple[str, ...]) -> Iterator[Evidence]:
    """All evidence about an article from the sources in use, in their order."""
    known_facts = list(facts)
    for source in use:
        if source in ("wikidata", "yago"):
            yield from _fact_evidence([fact for fact in known_facts if fact.source == source])
        elif source == "category":
            found = (category_evidence(name) for name in article["categories"] or ())
            yield from (row for row in found if row)
        elif source == "infobox":
            yield from infobox_evidence(article["infobox_dates"] or ())
        elif source == "lead":
            yield from lead_evidence(article["title"], article["text"])


def _hear_model(
    dating: Dating,
    evidence: list[Evidence],
    answer: Answer,
    record: Mapping[str, Any],
    use: tuple[str, ...],
    counts: Counts,
) -> Dating:
    """The dating with a model's answer where nothing else dates the article; else the answer measures the model."""
    if dating.first_known is None:
        evidence += answer_evidence(answer, record["model"])
        return resolve(evidence, use)
    if record.get("holdout"):
        decider = dating.evidence[0]
        known = (dating.first_known, decider.last if decider.last is not None else dating.first_known)
        compare(answer, dating.first, dating.last, known, dating.ended, counts)
    return dating


def _fact_evidence(facts: list[Fact]) -> Iterator[Evidence]:
    """Facts as evidence; a preferred claim of a property hides its normal ones."""
    preferred = {(fact.property, fact.qualifier) for fact in facts if fact.rank == "preferred" and not fact.qualifier}
    for fact in facts:
        if (fact.property, fact.qualifier) in preferred and fact.rank != "preferred":
            continue
        says = meaning(fact.property, fact.qualifier)
        confidence = _QUALIFIED_CONFIDENCE if fact.qualifier else _FACT_CONFIDENCE[fact.rank]
        yield Evidence(says.kind, fact.first, fact.last, fact.source, confidence, says.label, says.known)


def resolve(evidence: list[Evidence], use: tuple[str, ...]) -> Dating:
    """The dating that the evidence adds up to; ``use`` is the order in which sources are trusted.

    >>> resolve([Evidence("birth", 19550101, 19551231, "category", 0.9, known=False)], ("category",)).first_known
    19750101
    """
    born = _choose(evidence, "birth", use)
    evidence = settle_deaths(evidence, [born] if born else [])
    chosen = {kind: row for kind in _STARTS + ENDS if (row := _choose(evidence, kind, use))}
    person = "birth" in chosen or "death" in chosen
    decider = _first_known(evidence, chosen, person, use)
    if decider is None or decider.first is None:
        return Dating(None, None, None, False, tuple(evidence[:MOST_EVIDENCE]))
    end = find_end(evidence, chosen, person, use)
    start = next((chosen[kind] for kind in _STARTS if kind in chosen), decider)
    first = start.first if start.first is not None else decider.first
    if not person:
        first = min(first, decider.first)
    last = end.last if end else None
    if last is not None and last < first:
        last, end = None, None
    decisive = [decider, *(row for row in (start, end) if row)]
    others = [row for row in evidence if not any(row == other or _same(row, other) for other in decisive)]
    others.sort(key=lambda row: not row.note.startswith(CONTRADICTION))
    ordered = [*_distinct(decisive), *_distinct(others)]
    return Dating(first, last, decider.first, end is not None, tuple(ordered[:MOST_EVIDENCE]))


def _same(one: Evidence, other: Evidence) -> bool:
    return replace(one, note="") == replace(other, note="")


def _distinct(rows: list[Evidence]) -> list[Evidence]:
    return list(dict.fromkeys(rows))


def _choose(evidence: list[Evidence], kind: str, use: tuple[str, ...]) -> Evidence | None:
    """The row that decides a kind: of the most trusted source that has it, the earliest; conflicts are noted."""
    rows = [row for row in evidence if row.kind == kind and row.first is not None]
    if not rows:
        return None
    source = min(rows, key=lambda row: use.index(row.source)).source
    best = min(
        (row for row in rows if row.source == source), key=lambda row: (row.span > EXACT_YEARS, row.first, row.last)
    )
    against = [row for row in rows if row.source != source and _disjoint(row, best)]
    if not against:
        return best
    other = against[0]
    return replace(best, note=f"{best.note}; conflict: {other.source} has {year_of(other.first or 0)}".lstrip("; "))


def _disjoint(one: Evidence, other: Evidence) -> bool:
    """Whether two rows cannot both be right."""
    if one.first is None or one.last is None or other.first is None or other.last is None:
        return False
    return year_of(one.last) < year_of(other.first) or year_of(other.last) < year_of(one.first)


def _first_known(
    evidence: list[Evidence], chosen: dict[str, Evidence], person: bool, use: tuple[str, ...]
) -> Evidence | None:
    """The row that says from when the subject was known, or an estimate, or None."""
    born = chosen.get("birth")
    events = [
        row for row in evidence if row.known and row.first is not None and row.kind not in _WEAK and row.kind != "birth"
    ]
    if person:
        events = [row for row in events if row.kind in ("event", "publication", "discovery", "point", "start")]
        if born and born.last is not None:
            limit = born.last
            events = [row for row in events if row.last is not None and row.last > limit]
    else:
        events = _decided_events(events, chosen)
    exact = [row for row in events if row.span <= EXACT_YEARS or row.kind == PERIOD]
    if exact:
        first = min(exact, key=lambda row: (row.first or 0, use.index(row.source)))
        return estimate_before(first, born) if person and born else first
    if person:
        return estimate(evidence, chosen)
    rest = events or [row for row in evidence if row.kind == "work" and row.first is not None]
    return min(rest, key=lambda row: (row.span, row.first or 0)) if rest else None


def _decided_events(events: list[Evidence], chosen: dict[str, Evidence]) -> list[Evidence]:
    """A thing's events, for each kind only those that the chosen source of the kind gives."""
    return [row for row in events if row.kind not in chosen or row.source == chosen[row.kind].source]
