"""Stage ``augment``: training text that a teacher has rewritten from kept passages, as a source of the mixture.

In: the pieces of the corpus and what ``deepred teach --for augment`` wrote. Out: ``documents-00000.parquet`` with the
licence of the text that each was made from, and ``dropped.jsonl`` with every text that was not taken and its reason. A
text is taken whole or not at all: every sentence of it passes the run's own filter, at its own threshold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from deepred.base.days import Day
from deepred.base.files import replaced
from deepred.base.tables import document_schema, write_rows
from deepred.filter.use.short_texts import judge_many
from deepred.persona.checks import (
    ARTEFACT,
    COPIED,
    CUT,
    SHORT,
    UNGROUNDED,
    content_words,
    find_artefact,
    find_copy,
    find_ungrounded,
    is_cut_off,
)
from deepred.persona.from_articles import read_origins
from deepred.persona.model_teacher.pieces import Library
from deepred.persona.model_teacher.teacher_answers import TEXT_FORMS, Told, read_told
from deepred.persona.selection import BATCH, LATE, load_judge
from deepred.run.config import Augment
from deepred.run.stage import Counts, Work

SOURCE = "augment"
LEAST_CHARACTERS = 60


def write_augmented(
    *,
    articles: Path,
    passages: Path,
    emergence: Path,
    books: Path | None,
    chess: Path | None,
    topics: Path | None,
    config: Augment,
    sources: dict[str, list[Path]],
    cutoff: Day,
    straddling: str,
    out: Path,
    work: Work,
) -> Counts:
    """Screen the rewritten pieces and write those that pass as documents; the others are counted and written down."""
    counts = Counts()
    told = read_told(sources.get("answers", []), Library(passages, books, chess, topics), TEXT_FORMS, counts)
    pages = {int(item.piece.document.partition(":")[2]) for item in told if item.piece.kind == "passage"}
    origins = read_origins(articles, pages)
    judge = load_judge(emergence, passages, cutoff, straddling)
    with replaced(out / "dropped.jsonl") as partial, partial.open("w", encoding="utf-8") as file:

        def drop(item: Told, reason: str, detail: str) -> None:
            counts.drop(reason)
            row = {"reason": reason, "detail": detail, "text": written(item), "document": item.piece.name}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

        def rows() -> Iterator[dict[str, Any]]:
            waiting = iter(told)
            while batch := list(islice(waiting, BATCH)):
                texts = [written(item) for item in batch]
                kinds = [item.piece.article_class for item in batch]
                for item, text, late in zip(batch, texts, judge_many(judge, texts, kinds), strict=True):
                    reason, detail = find_fault(item, text, config)
                    if late:
                        reason, detail = f"{LATE}: {late[0].reason}", late[0].sentence
                    if reason:
                        drop(item, reason, detail)
                        continue
                    counts.add("documents")
                    counts.add("characters", len(text))
                    counts.tally("documents by form", item.row.form)
                    yield _document(item, text, origins)

        write_rows(out / "documents-00000.parquet", rows(), document_schema())
    work.report(counts, len(told), len(told))
    return counts


def written(told: Told) -> str:
    """A rewritten piece as text: questions and answers by name, a dialogue by dashes, a summary as one paragraph."""
    lines = [" ".join(line.split()) for line in told.row.lines if line.strip()]
    if told.row.form == "summary":
        return " ".join(lines)
    if told.row.form == "dialogue":
        return "\n".join(f"– {line}" for line in lines)
    names = ("Question", "Answer")
    return "\n".join(f"{names[number % 2]}: {line}" for number, line in enumerate(lines))


def find_fault(told: Told, text: str, config: Augment) -> tuple[str, str]:
    """The name of what is wrong with a rewritten piece and the words that show it; both empty for nothing."""
    lines, source = told.row.lines, f"{told.piece.title}\n{told.piece.text}"
    if len(text) < LEAST_CHARACTERS or (told.row.form == "questions" and len(lines) % 2):
        return SHORT, text[:80]
    if shown := next((found for line in lines if (found := find_artefact(line))), ""):
        return ARTEFACT, shown
    if is_cut_off(lines[-1]):
        return CUT, lines[-1][-40:]
    if shown := find_copy(text, source, config.max_copied):
        return COPIED, shown
    if shown := find_ungrounded(text, source, content_words("question, answer"), config.min_grounded):
        return UNGROUNDED, shown
    return "", ""


def _document(told: Told, text: str, origins: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """A row of documents; its id begins with that of the document it was made from, whose split it shares."""
    row, piece = told.row, told.piece
    page = int(piece.document.partition(":")[2]) if piece.kind == "passage" else -1
    licence = origins.get(page, {}).get("licence", piece.licence)
    return {
        "id": f"{piece.document}#{SOURCE}:{row.task}",
        "source": SOURCE,
        "title": piece.title,
        "text": f"{piece.title}\n\n{text}",
        "licence": licence,
        "origin": f"{row.form} by {row.model} from {piece.name}",
    }
