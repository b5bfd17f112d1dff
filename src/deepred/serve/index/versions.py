"""Where the versions of an index live: a folder of SQLite files, or a PostgreSQL database with a schema a version.

A home says which version is current, takes the rows of new versions by ADBC bulk load, each part in one transaction
with a note that it is in, and makes a version the current one in a single step.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool
from sqlalchemy.schema import CreateIndex, CreateSchema, DropSchema

from deepred.base.errors import FaultError, UserError
from deepred.base.files import remove_abandoned, write_json
from deepred.base.given import read_object
from deepred.serve.index.index_tables import BATCH, arrow_schemas, sql_indexes, sql_tables
from deepred.serve.index.store import Store, answered

SQLITE = "articles.sqlite"
CURRENT = "current.json"
POINTER = "deepred_index"
"""PostgreSQL's table of current versions by run."""
AHEAD = 4
"""Batches read before they are loaded."""
CONNECTIONS = 8
CONNECT_SECONDS = 5
STATEMENT_MILLISECONDS = 10_000

Pointer = dict[str, Any]
"""What is current: version, run, cutoff, straddling, embeddings, counts."""


class Home(Protocol):
    """Where versions live."""

    def current(self) -> Pointer | None:
        """What is current; None where nothing has been indexed."""
        ...

    def mark(self) -> object:
        """Something cheap that changes when another version becomes current."""
        ...

    def open(self, version: str) -> Store:
        """The store of a version."""
        ...

    def begin(self, version: str) -> None:
        """Make the tables of a version, unless they are there."""
        ...

    def loaded(self, version: str) -> set[str]:
        """The parts that are in."""
        ...

    def load(self, version: str, part: str, files: Mapping[str, Path]) -> None:
        """Load the rows of a part, all or none."""
        ...

    def finish(self, version: str) -> dict[str, int]:
        """Make the indexes; returns the number of rows a table."""
        ...

    def switch(self, pointer: Pointer) -> None:
        """Make a version current, in one step."""
        ...

    def versions(self) -> list[str]:
        """All versions there are, unfinished ones too."""
        ...

    def drop(self, version: str) -> None:
        """Remove a version."""
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


def open_home(store: str, folder: Path, slug: str) -> Home:
    """The home of a run: ``sqlite`` in its folder, or a PostgreSQL database by address."""
    if store == "sqlite":
        return SqliteHome(folder)
    try:
        url = make_url(store)
    except ArgumentError:
        url = None
    if url is None or url.drivername.partition("+")[0] not in ("postgresql", "postgres"):
        raise UserError(f"no store is called {store!r}", "sqlite, or postgresql://user@host/database")
    return PostgresHome(url.set(drivername="postgresql+psycopg"), slug)


class SqliteHome:
    """A folder with a folder a version, and ``current.json``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current(self) -> Pointer | None:
        """What is current; FaultError where its file is damaged."""
        path = self.folder / CURRENT
        if not path.exists():
            return None
        mend = "remove it, and deepred index RUN.toml builds the index again"
        try:
            return read_object(path, mend)
        except UserError as error:
            raise FaultError(error.message, mend) from None

    def mark(self) -> object:
        """The pointer file's identity: it is replaced, never written to."""
        try:
            found = (self.folder / CURRENT).stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns

    def open(self, version: str) -> Store:
        """Read-only: a finished version never changes."""
        uri = f"{(self.folder / version / SQLITE).absolute().as_uri()}?mode=ro&immutable=1"
        engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(uri, uri=True, check_same_thread=False),
            poolclass=QueuePool,
            pool_size=CONNECTIONS,
            max_overflow=CONNECTIONS,
        )
        return Store(engine, None)

    def _engine(self, version: str) -> Engine:
        return create_engine(f"sqlite:///{self.folder / version / SQLITE}")

    def begin(self, version: str) -> None:
        """Make the tables. SQLite's own rollback journal keeps parts whole; rows are only added, so it stays small."""
        (self.folder / version).mkdir(parents=True, exist_ok=True)
        engine = self._engine(version)
        sql_tables(None)[0].create_all(engine)
        engine.dispose()

    def loaded(self, version: str) -> set[str]:
        """The parts that are in."""
        engine = self._engine(version)
        found = _loaded(engine, None)
        engine.dispose()
        return found

    def load(self, version: str, part: str, files: Mapping[str, Path]) -> None:
        """Load a part by ADBC."""
        import adbc_driver_sqlite.dbapi as driver

        with driver.connect(str(self.folder / version / SQLITE)) as connection:
            with connection.cursor() as cursor:
                _ingest(cursor, part, files, None)
            connection.commit()

    def finish(self, version: str) -> dict[str, int]:
        """Make the indexes and the planner's statistics."""
        engine = self._engine(version)
        with engine.begin() as connection:
            _make_indexes(connection, None)
        counts = _count(engine, None)
        engine.dispose()
        with closing(sqlite3.connect(self.folder / version / SQLITE)) as connection:
            connection.execute("PRAGMA optimize")
        return counts

    def switch(self, pointer: Pointer) -> None:
        """Replace the pointer file."""
        remove_abandoned(self.folder / CURRENT)
        write_json(self.folder / CURRENT, pointer)

    def versions(self) -> list[str]:
        """The folders."""
        return [path.name for path in self.folder.iterdir() if path.is_dir()] if self.folder.is_dir() else []

    def drop(self, version: str) -> None:
        """Nothing here: the version's folder is removed whole, with its search index."""

    def close(self) -> None:
        """Nothing: every store has its own."""


class PostgresHome:
    """A database with a schema a version, and a table that names the current ones."""

    def __init__(self, url: URL, slug: str) -> None:
        self.url = url
        self.slug = slug
        options = f"-c statement_timeout={STATEMENT_MILLISECONDS}"
        self.engine = create_engine(
            url,
            pool_size=CONNECTIONS,
            max_overflow=CONNECTIONS,
            pool_timeout=CONNECT_SECONDS,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_SECONDS, "options": options},
        )

    def _loader(self) -> Engine:
        """For the load: no time limit on statements."""
        return create_engine(self.url, connect_args={"connect_timeout": CONNECT_SECONDS})

    def schema(self, version: str) -> str:
        """The schema of a version."""
        return f"deepred_{self.slug}_{version}"

    def current(self) -> Pointer | None:
        """What is current."""
        with answered(), self.engine.connect() as connection:
            if not inspect(connection).has_table(POINTER):
                return None
            statement = text(f"SELECT pointer FROM {POINTER} WHERE run = :run")
            found = connection.execute(statement, {"run": self.slug}).scalar()
        return json.loads(found) if found else None

    def mark(self) -> object:
        """The version that is current."""
        pointer = self.current()
        return pointer["version"] if pointer else None

    def open(self, version: str) -> Store:
        """All versions share one pool of connections."""
        return Store(self.engine, self.schema(version))

    def begin(self, version: str) -> None:
        """Make the schema and its tables."""
        engine = self._loader()
        schema = self.schema(version)
        with answered(), engine.begin() as connection:
            connection.execute(CreateSchema(schema, if_not_exists=True))
            sql_tables(schema)[0].create_all(connection)
        engine.dispose()

    def loaded(self, version: str) -> set[str]:
        """The parts that are in."""
        with answered():
            return _loaded(self.engine, self.schema(version))

    def load(self, version: str, part: str, files: Mapping[str, Path]) -> None:
        """Load a part by ADBC: binary COPY."""
        import adbc_driver_manager.dbapi as manager
        import adbc_driver_postgresql.dbapi as driver

        from deepred.serve.index.contract import UnavailableError

        uri = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        try:
            with driver.connect(uri) as connection:
                with connection.cursor() as cursor:
                    _ingest(cursor, part, files, self.schema(version))
                connection.commit()
        except manager.OperationalError as error:
            raise UnavailableError(f"PostgreSQL does not answer: {str(error).splitlines()[0]}", "start it") from None

    def finish(self, version: str) -> dict[str, int]:
        """Make the indexes and the planner's statistics."""
        engine, schema = self._loader(), self.schema(version)
        with answered(), engine.begin() as connection:
            _make_indexes(connection, schema)
        with answered(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for name in sql_tables(schema)[1]:
                connection.execute(text(f'ANALYZE "{schema}"."{name}"'))
        with answered():
            counts = _count(engine, schema)
        engine.dispose()
        return counts

    def switch(self, pointer: Pointer) -> None:
        """Write the pointer in one transaction."""
        with answered(), self.engine.begin() as connection:
            connection.execute(
                text(f"CREATE TABLE IF NOT EXISTS {POINTER} (run TEXT PRIMARY KEY, pointer TEXT NOT NULL)")
            )
            connection.execute(
                text(
                    f"INSERT INTO {POINTER} (run, pointer) VALUES (:run, :pointer) "
                    "ON CONFLICT (run) DO UPDATE SET pointer = excluded.pointer"
                ),
                {"run": self.slug, "pointer": json.dumps(pointer)},
            )

    def versions(self) -> list[str]:
        """The schemas of this run."""
        prefix = f"deepred_{self.slug}_"
        with answered():
            names = inspect(self.engine).get_schema_names()
        return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]

    def drop(self, version: str) -> None:
        """Remove the schema."""
        engine = self._loader()
        with answered(), engine.begin() as connection:
            connection.execute(DropSchema(self.schema(version), cascade=True, if_exists=True))
        engine.dispose()

    def close(self) -> None:
        """Close the pool."""
        self.engine.dispose()


def _ingest(cursor: Any, part: str, files: Mapping[str, Path], schema: str | None) -> None:
    """Append the rows of every table, and note the part."""
    import pyarrow as pa
    from pyarrow.dataset import dataset

    where: dict[str, Any] = {"db_schema_name": schema} if schema else {}
    for name, path in files.items():
        rows = dataset(path, schema=arrow_schemas()[name], format="parquet")  # read ahead, beside the load
        scanner = rows.scanner(batch_size=BATCH, batch_readahead=AHEAD, fragment_readahead=1)
        cursor.adbc_ingest(name, scanner.to_reader(), mode="append", **where)
    note = pa.RecordBatch.from_pydict({"name": [part]})
    cursor.adbc_ingest("loaded", note, mode="append", **where)


def _loaded(engine: Engine, schema: str | None) -> set[str]:
    from sqlalchemy import select

    table = sql_tables(schema)[1]["loaded"]
    with engine.connect() as connection:
        return set(connection.execute(select(table.c.name)).scalars())


def _make_indexes(connection: Connection, schema: str | None) -> None:
    tables, seen = sql_tables(schema)[1], inspect(connection)
    for index in sql_indexes(tables):
        assert index.table is not None
        if index.name not in {found["name"] for found in seen.get_indexes(index.table.name, schema=schema)}:
            connection.execute(CreateIndex(index))


def _count(engine: Engine, schema: str | None) -> dict[str, int]:
    from sqlalchemy import func, select

    with engine.connect() as connection:
        return {
            name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
            for name, table in sql_tables(schema)[1].items()
            if name != "loaded"
        }
