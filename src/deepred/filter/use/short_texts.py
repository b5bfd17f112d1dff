"""Many short texts under one judge, as if each were an article by itself: a hundred cost little more than one.

In: texts (answers of a teacher) and the class of what each is about. Out: per text the sentences that the filter would
drop, with reason and probability. No text lends another its dates, its words or its context.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from deepred.filter.decision import KEPT, REASONS, decide
from deepred.filter.emergence import describe_article
from deepred.filter.judge import Judge
from deepred.filter.sentence_evidence import Evidence, gather_evidence
from deepred.filter.sentence_features import build_features, find_grams, score_grams
from deepred.filter.term_years import sentence_of
from deepred.text.sentences import Segments
from deepred.text.word_hashes import Floats, find_words

PART = "\n\n"
"""What parts two texts: a paragraph's end, across which no sentence leans on another."""


@dataclass(frozen=True, slots=True)
class Late:
    """A sentence that the filter drops, why, and how likely it is late."""

    sentence: str
    reason: str
    probability: float


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a text lies in the joined one: its characters, its sentences, its dates."""

    start: int
    sentences: slice
    dates: slice


def judge_many(
    judge: Judge, texts: Sequence[str], classes: Sequence[str], *, spoken: bool = False, fold: int = 0
) -> list[list[Late]]:
    """The sentences of each text that would be dropped, by the model of one fold; classes are O, S or U, one a text.

    In what is ``spoken`` "now" and "today" are the speaker's: of an article's writer they would tell his present.

    >>> judge_many(Judge.by_dates_alone(19690720, "drop"), ["Salt is good.", "It closed in 1987."], "UU")
    [[], [Late(sentence='It closed in 1987.', reason='date', probability=0.9700000286102295)]]
    """
    texts = [text.replace("\0", " ") for text in texts]
    joined = PART.join(texts)
    article: dict[str, Any] = {"page_id": 0, "title": "", "text": joined, "revision_id": 1}
    row, _, _ = describe_article(article, judge.titles)
    row["date_precision"] = [0] * len(row["date_precision"])  # no article of the corpus: nothing of it was counted
    words = find_words(joined)
    segments, evidence = gather_evidence(article, row, judge.horizon, words)
    if spoken:
        evidence = replace(evidence, status=np.zeros(len(segments), np.bool_))
    spans = _spans(texts, segments, row["date_start"])
    probability = None
    if judge.model is not None:
        weights = judge.model.grams[fold]
        columns, at = find_grams(words, sentence_of(words, segments), row, len(weights).bit_length() - 1)
        scores = score_grams(columns, at, len(segments), weights)
        features = [
            _features(span, segments, evidence, scores, row, judge.horizon.cutoff, kind)
            for span, kind in zip(spans, classes, strict=True)
        ]
        logits = judge.model.score(np.concatenate(features), fold)
        probability = judge.calibration.probability(logits, evidence.early_date)
    decision = decide(segments, evidence, "U", probability, judge.threshold)
    found: list[list[Late]] = []
    for span in spans:
        late = [i for i in range(span.sentences.start, span.sentences.stop) if decision.reasons[i] != KEPT]
        found.append(
            [
                Late(
                    joined[segments.starts[i] : segments.ends[i]],
                    REASONS[decision.reasons[i]],
                    float(decision.probability[i]),
                )
                for i in late
            ]
        )
    return found


def _spans(texts: Sequence[str], segments: Segments, dates: Sequence[int]) -> list[_Span]:
    starts = np.cumsum([0, *(len(text) + len(PART) for text in texts)])
    sentences = np.searchsorted(np.array(segments.starts, np.int64), starts)
    dated = np.searchsorted(np.array(dates, np.int64), starts)
    return [
        _Span(int(starts[i]), slice(int(sentences[i]), int(sentences[i + 1])), slice(int(dated[i]), int(dated[i + 1])))
        for i in range(len(texts))
    ]


def _features(
    span: _Span, segments: Segments, evidence: Evidence, scores: Floats, row: dict[str, Any], cutoff: int, kind: str
) -> Any:
    """The features of one text's sentences, from its own part of everything."""
    part = span.sentences
    own = Segments(
        [start - span.start for start in segments.starts[part]],
        [end - span.start for end in segments.ends[part]],
        segments.paragraphs[part],
        [0] * (part.stop - part.start),
        [],
    )
    flags = {
        field.name: getattr(evidence, field.name)[part] for field in fields(evidence) if field.name != "late_headings"
    }
    dates = {
        "date_start": [start - span.start for start in row["date_start"][span.dates]],
        "date_first": row["date_first"][span.dates],
    }
    evidence = replace(evidence, **flags, late_headings=frozenset())
    return build_features(own, evidence, scores[part], dates, cutoff, kind)
