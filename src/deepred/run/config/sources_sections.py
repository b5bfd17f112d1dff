"""Sections of the stages that read sources."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from deepred.run.config.base import Section, Sources


class World(Section):
    """The generated encyclopedia, in which everything is known; present only where a run uses it."""

    seed: int = Field(
        default=1, description="Seed of the world; another seed is another world with other names and facts."
    )
    facts: int = Field(
        default=20, ge=4, description="Probed facts per relation and era (before, after the world's own hinge)."
    )
    mentions: int = Field(default=16, ge=2, description="Times each probed fact is stated, over several articles.")
    hinge: date = Field(
        default=date(1969, 7, 20), description="The day that splits the world's eras, and its ground truth."
    )


class Articles(Section):
    """Extraction of a MediaWiki dump into structured text."""

    dumps: Sources = Field(
        default=[], description="MediaWiki XML dumps (.xml, .xml.gz, .xml.bz2, multistream with its index)."
    )
    plain: Sources = Field(
        default=[], description="Parquet files with page_id, title, text: articles that are plain text already."
    )
    language: str = Field(default="en", description="Language of the wiki, for prefixes and templates.")
    tables: Literal["drop", "text"] = Field(default="drop", description="Tables: leave out, or write as lines of text.")
    captions: Literal["drop", "text"] = Field(
        default="drop", description="Captions of images, galleries and tables: leave out, or keep as paragraphs."
    )
    math: Literal["drop", "tex"] = Field(default="tex", description="Formulas: leave out, or keep their TeX source.")
    limit: int = Field(default=0, ge=0, description="Read only the first N articles of every source (0: all).")
    seconds_per_article: float = Field(
        default=10.0, gt=0, description="An article that takes longer is dropped with the reason `slow`."
    )
    salvage: bool = Field(
        default=False, description="Keep the complete pages before a damage in the dump instead of failing."
    )


class Books(Section):
    """Gutenberg books: cleaned, dated, filtered by the cutoff."""

    files: Sources = Field(default=[], description="Project Gutenberg texts.")
    catalogue: Sources = Field(
        default=[], description="Catalogue records (RDF, pg_catalog.csv) that date and name the texts."
    )
    undated: Literal["drop", "author-death"] = Field(
        default="author-death", description="A book without a publication date: drop, or date by the author's death."
    )
    reading: Literal["all", "deepred"] = Field(
        default="all", description="`deepred` takes only books of the shipped reading list, `all` takes every book."
    )
    languages: list[str] = Field(default=[], description="Languages to take, as codes (`en`); empty: all.")
    subjects: list[str] = Field(default=[], description="Take books with one of these in a catalogue subject.")
    shelves: list[str] = Field(default=[], description="Take books with one of these in a catalogue bookshelf.")
    authors: list[str] = Field(default=[], description="Take books of these authors.")
    ids: list[int] = Field(default=[], description="Take books with these e-book numbers.")
    public_domain: list[Literal["US", "life+70", "life+50"]] = Field(
        default=[], description="Take only books in the public domain under each of these rules, as far as is known."
    )
    free_by: int = Field(
        default=0,
        ge=0,
        description="The year in which they must be so (0: 2026); set alone, it asks for life+70 by that year.",
    )
    themes: list[str] = Field(
        default=[], description="Take only the chunks of books that are about one of these themes (`themes.toml`)."
    )
    theme_file: Sources = Field(default=[], description="A TOML file of themes to use in place of the shipped one.")
    theme_score: float = Field(default=8.0, ge=0, description="Score from which a chunk is about a theme.")
    chunk_tokens: int = Field(default=512, ge=16, description="Tokens of a chunk at most, where themes are chosen.")


class Chess(Section):
    """Chess games as prose."""

    files: Sources = Field(default=[], description="PGN collections.")
    limit: int = Field(default=0, ge=0, description="Games written at most (0: all).")
    renderings: dict[str, float] = Field(
        default={"movetext": 1.0, "narrated": 1.0, "descriptive": 0.5, "positions": 0.5},
        description="Weights of the renderings: movetext, narrated, descriptive, positions (diagram and questions).",
    )


class Topics(Section):
    """Year and date articles as events, documents and probe material."""

    min_events: int = Field(default=3, ge=1, description="Events below which a year article is no document.")
