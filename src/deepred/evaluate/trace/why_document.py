"""Why a traced document and its sentence are in the corpus: dates, class, and what the filter saw in the sentence.

In: a document of the mixture and the finished folders of its run. Out: lines of reason as JSON: for an article its
class with the deciding dates, and for the sentence what spoke for it when the filter judged it (later dates, links and
names, and the probability against the threshold); for books, games and year articles the date that admitted them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepred.base.days import Day, format_day
from deepred.base.errors import UserError
from deepred.filter.decision import REASONS
from deepred.filter.judge import Judge, Weighed
from deepred.filter.passages import Classes
from deepred.filter.sentence_evidence import segments_of
from deepred.filter.use.why_article import Folders, explain_article
from deepred.text.word_hashes import find_words

EVIDENCE_SHOWN = 3
"""Rows of dating evidence shown of an article: the deciding ones stand first."""


@dataclass(frozen=True)
class Sources:
    """The finished folders that explain an article of a run, and the arm's filter."""

    articles: Path
    dates: Path
    classes: Path
    emergence: Path
    passages: Path
    cutoff: Day
    straddling: str
    threshold: float
    arm: str = "filtered"


class Explainer:
    """Explains documents of one run; what the filter learned is read once, when the first article is asked about."""

    def __init__(self, sources: Sources | None, cutoff: Day) -> None:
        self.sources = sources
        self.cutoff = cutoff
        self._judge: Judge | None = None
        self._classes: Classes | None = None

    def explain(self, document: Mapping[str, Any], sentence: str) -> dict[str, Any]:
        """Why a document (id, source, title, first, last, origin) is in the corpus, and why its sentence is."""
        if document["source"] != "wikipedia":
            return {"reason": dated_reason(document, self.cutoff)}
        if self.sources is None:
            return {"reason": "an article; the run's own folders are needed to tell why it was kept"}
        page = int(str(document["id"]).rpartition(":")[2])
        try:
            known = explain_article(document["title"], Folders(*self._folders()))
        except UserError as error:  # a title that another page's redirect hides
            return {"reason": str(error)}
        found = {key: known[key] for key in ("class", "reason", "first", "last", "first_known")}
        found["evidence"] = known["evidence"][:EVIDENCE_SHOWN]
        return found | {"sentence": self._sentence(page, sentence)}

    def _folders(self) -> tuple[Path, Path, Path, Path]:
        assert self.sources is not None
        return self.sources.articles, self.sources.dates, self.sources.classes, self.sources.passages

    def _sentence(self, page: int, sentence: str) -> dict[str, Any] | None:
        """What the filter saw in a sentence of an article; None where the sentence is not the article's own."""
        sources = self.sources
        assert sources is not None
        article = _row(sources.articles, "articles-*.parquet", page, ["page_id", "title", "text"])
        row = _row(sources.emergence, "sentences-*.parquet", page)
        if article is None or row is None:
            return None
        if self._judge is None or self._classes is None:
            self._judge = Judge.load(
                sources.emergence, sources.passages, sources.cutoff, sources.straddling, sources.threshold
            )
            self._classes = Classes.load(sources.classes)
        weighed = self._judge.weigh(article, row, self._classes.of(page))
        place = sentence_place(article["text"], segments_of(row).starts, segments_of(row).ends, sentence)
        return None if place is None else seen_in(weighed, place, sources)


def _row(folder: Path, pattern: str, page: int, columns: list[str] | None = None) -> dict[str, Any] | None:
    import pyarrow.dataset as ds

    paths = [str(path) for path in sorted(folder.glob(pattern))]
    if not paths:
        return None
    data: Any = ds.dataset(paths, format="parquet")
    rows = data.to_table(columns=columns, filter=ds.field("page_id") == page).to_pylist()
    return rows[0] if rows else None


def sentence_place(text: str, starts: Any, ends: Any, sentence: str) -> int | None:
    """The number of the sentence of an article that has a traced sentence's words; None where there is none."""
    wanted = find_words(sentence).hashes.tolist()
    for place, (start, end) in enumerate(zip(starts, ends)):
        words = find_words(text[start:end]).hashes.tolist()
        if words and (words == wanted or (len(wanted) > len(words) and words == wanted[: len(words)])):
            return place
    return None


def seen_in(weighed: Weighed, place: int, sources: Sources) -> dict[str, Any]:
    """What the filter found in one sentence, what it decides, and so why the sentence is there."""
    evidence = weighed.evidence
    decision = weighed.decide(sources.threshold)
    late = [
        name
        for name, flags in (("date", evidence.late_date), ("link", evidence.late_link), ("name", evidence.late_name))
        if bool(flags[place])
    ]
    verdict = REASONS[int(decision.reasons[place])]
    chance = None if weighed.probability is None else round(float(weighed.probability[place]), 4)
    found: dict[str, Any] = {
        "late": late,
        "early_date": bool(evidence.early_date[place]),
        "probability": chance,
        "threshold": round(sources.threshold, 4),
        "verdict": verdict or "kept",
    }
    return found | {"reason": sentence_reason(found, sources.arm)}


def sentence_reason(found: Mapping[str, Any], arm: str) -> str:
    """The reason in a sentence."""
    if found["verdict"] != "kept":
        dropped = f"the filter drops it ({found['verdict']})"
        return (
            f"{dropped}; the arm {arm} keeps every sentence" if arm == "unfiltered" else f"{dropped} as it judges now"
        )
    if found["early_date"]:
        said = "its dates lie before the cutoff, and no later date, link or name was recognised"
    else:
        said = "no later date, link or name was recognised"
    if found["probability"] is None:
        return f"kept: {said}; too few dated sentences for a model"
    return f"kept: {said}; P(late) {found['probability']:.2f} is below {found['threshold']:.2f}"


def dated_reason(document: Mapping[str, Any], cutoff: Day) -> str:
    """Why a document that is dated as a whole was admitted.

    >>> dated_reason({"first": 19010101, "last": 19011231}, 19690720)
    'dated 1901-01-01 to 1901-12-31, before the cutoff 1969-07-20'
    """
    first, last = document.get("first"), document.get("last")
    if first is None or last is None:
        return "it has no date of its own"
    side = "before" if last < cutoff else "not wholly before"
    return f"dated {format_day(first)} to {format_day(last)}, {side} the cutoff {format_day(cutoff)}"
