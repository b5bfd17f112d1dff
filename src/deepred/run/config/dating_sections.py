"""Sections of the stages that date."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from deepred.run.config.base import Section, Sources


class Facts(Section):
    """Dated claims of Wikidata and YAGO."""

    wikidata: Sources = Field(default=[], description="Wikidata dumps: JSON or truthy N-Triples, plain, .gz or .bz2.")
    yago: Sources = Field(default=[], description="YAGO 4.5 Turtle files.")
    wiki: str = Field(default="enwiki", description="The sitelink that joins entities with article titles.")
    max_unreadable: float = Field(
        default=0.1, ge=0, le=1, description="Share of malformed entities or lost bytes above which the stage fails."
    )


class Dates(Section):
    """What dates each article, from every source, with evidence."""

    use: list[Literal["wikidata", "yago", "category", "infobox", "lead", "llm"]] = Field(
        default=["wikidata", "yago", "category", "infobox", "lead", "llm"],
        description="Sources of dates, the most trusted first; `llm` speaks only where no other does.",
    )
    answers: Sources = Field(
        default=[], description="Answers of a model (JSONL), written by `deepred date-llm`; read by the source `llm`."
    )
