"""The store of articles: SQLAlchemy Core queries over SQLite and PostgreSQL, one code path; nothing is built from text.

A store holds one version of an index and never changes. ``versions.py`` says where versions lie and which is current.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import Engine, and_, func, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from deepred.base.days import Day
from deepred.serve.index.contract import UnavailableError
from deepred.serve.index.index_tables import sql_tables
from deepred.serve.index.told_from import NEVER

MOST_STEPS = 3
"""Redirects followed one after the other."""
LARGEST_ID = 2**63 - 1
LONGEST_TITLE = 512
"""Characters of a title; MediaWiki's own limit is 255 bytes."""

Row = dict[str, Any]


class Store:
    """Queries over one version."""

    def __init__(self, engine: Engine, schema: str | None) -> None:
        self.engine = engine
        _, self.tables = sql_tables(schema)

    def article(self, page: int | str) -> tuple[Row, str] | None:
        """The row of an article by its id, title or a redirect, and the title asked for where a redirect led to it."""
        if isinstance(page, int):
            return self._by_id(page)
        title = page.replace("_", " ").strip()
        if not title or len(title) > LONGEST_TITLE or not is_plain(title):
            return None
        for typed in dict.fromkeys([page.strip(), title, title[:1].upper() + title[1:]]):
            if found := self._by_title(typed):
                return found
        return None

    def _by_id(self, page: int) -> tuple[Row, str] | None:
        if abs(page) > LARGEST_ID:
            return None
        articles = self.tables["articles"]
        rows = self._rows(select(articles).where(articles.c.page_id == page).limit(1))
        return (rows[0], "") if rows else None

    def _by_title(self, typed: str) -> tuple[Row, str] | None:
        articles, redirects = self.tables["articles"], self.tables["redirects"]
        name = typed
        for _ in range(MOST_STEPS + 1):
            if rows := self._rows(select(articles).where(articles.c.title == name).limit(1)):
                return rows[0], "" if name == typed else typed
            led = self._rows(select(redirects.c.target).where(redirects.c.title == name).limit(1))
            if not led:
                return None
            name = str(led[0]["target"]).partition("#")[0]
        return None

    def paragraphs(self, page: int) -> list[Row]:
        """The paragraphs of an article in order, ``spans`` read."""
        table = self.tables["paragraphs"]
        found = self._rows(select(table).where(table.c.page_id == page).order_by(table.c.number))
        return [row | {"spans": orjson.loads(row["spans"])} for row in found]

    def links(self, page: int) -> list[Row]:
        """The links of an article by their place."""
        table = self.tables["links"]
        return self._rows(select(table).where(table.c.page_id == page).order_by(table.c.start))

    def events(self, year: int, as_of: Day, offset: int, limit: int) -> tuple[list[Row], int]:
        """A year's events told before a day, and how many there are; the same line of two pages is one."""
        table = self.tables["events"]
        columns = [table.c[name] for name in ("first", "last", "kind", "text")]
        told = (
            select(*columns, func.min(table.c.page_id).label("page_id"))
            .where(and_(table.c.year == year, table.c.day < as_of))
            .group_by(*columns)
        )
        rows = self._rows(told.order_by(*columns).offset(offset).limit(limit))
        counted = self._rows(select(func.count().label("count")).select_from(told.subquery()))
        return rows, int(counted[0]["count"])

    def random(self, rank: int, as_of: Day, source: str) -> int | None:
        """The article of the next higher rank that is told before a day, the lowest after the highest."""
        table = self.tables["articles"]
        told = and_(table.c.day < as_of, table.c.day != NEVER, table.c.source == source)
        for above in (table.c.rank >= rank, table.c.rank < rank):
            if rows := self._rows(select(table.c.page_id).where(told, above).order_by(table.c.rank).limit(1)):
                return int(rows[0]["page_id"])
        return None

    def check(self) -> None:
        """Raise ``UnavailableError`` where it does not answer."""
        self._rows(select(self.tables["loaded"].c.name).limit(1))

    def _rows(self, statement: Any) -> list[Row]:
        with answered(), self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]

    def close(self) -> None:
        """Close idle connections."""
        self.engine.dispose()


@contextmanager
def answered() -> Generator[None]:
    """Turn what a database driver raises into ``UnavailableError``, without its statement and parameters."""
    try:
        yield
    except DBAPIError as error:
        raise UnavailableError(f"the database does not answer: {_first_line(error.orig)}", "start it") from None
    except SQLAlchemyError as error:
        raise UnavailableError(f"the database does not answer: {_first_line(error)}", "ask again later") from None


def _first_line(error: BaseException | None) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def is_plain(text: str) -> bool:
    """Whether every database takes a text: no NUL, no lone surrogate."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
