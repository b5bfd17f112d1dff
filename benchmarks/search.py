"""Search and loading of 100,000 real paragraphs against raw tantivy, LanceDB, binary COPY and raw ADBC.

    python benchmarks/search.py prepare WORK                    # units, engine, raw tantivy; once
    python benchmarks/search.py bm25 WORK                       # ours and raw tantivy, alternating
    python benchmarks/search.py hybrid WORK LANCE_PYTHON        # ours and LanceDB in its own environment, alternating
    python benchmarks/search.py load WORK [postgresql://…]      # SQLite against raw ADBC; PostgreSQL against COPY

Texts: ``articles/enwiki-2015-core.parquet`` of the samples. A paragraph's sentences take the days of the dates in them.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from deepred.serve.index import embeddings
from deepred.serve.index.build_index import write_units, write_vectors
from deepred.serve.index.embedded_search import Embedded, Writer
from deepred.serve.index.index_tables import BATCH, COLUMNS, arrow_schemas
from deepred.serve.index.reader import Reader
from deepred.serve.index.told_from import paragraph_units
from deepred.serve.index.versions import SqliteHome, open_home
from deepred.text.dates.find import find_dates
from deepred.text.sentences import segment

PARAGRAPHS = 100_000
CUTOFF = 20160101
QUERIES = 300
ROUNDS = 5
AS_OF = (19001231, 19390901, 19690720, 19991231)


def articles():
    path = Path(os.environ["DEEPRED_SAMPLES"]) / "articles" / "enwiki-2015-core.parquet"
    for batch in pq.ParquetFile(path).iter_batches(batch_size=256):
        yield from batch.to_pylist()


def read_paragraphs():
    """Per paragraph its units, and the paragraph whole with its latest day."""
    for article in articles():
        text = article["text"]
        segments = segment(text, (), article["title"], plain=True)
        dates = [(span.start, span.interval.last) for span in find_dates(text)]
        spans, groups, place, previous = [], {}, 0, 0
        for start, end, paragraph in zip(segments.starts, segments.ends, segments.paragraphs):
            day = previous if groups.get(paragraph) else 10000101
            found = []
            while place < len(dates) and dates[place][0] < end:
                if dates[place][0] >= start:
                    found.append(dates[place][1])
                place += 1
            previous = max(found, default=day)
            spans = groups.setdefault(paragraph, [])
            spans.append([start, end, previous, "", None])
        for number, group in groups.items():
            subject = {"page_id": article["page_id"], "number": number, "title": article["title"], "section": ""}
            subject |= {"known": group[0][2], "first_known": group[0][2], "kind": "S", "source": "wikipedia"}
            units = [unit | subject for unit in paragraph_units(text, group, CUTOFF)]
            whole = units[-1] | {"day": max(day for _, _, day, *_ in group)}
            yield units, whole


def prepare(work):
    work.mkdir(parents=True, exist_ok=True)
    units, wholes = [], []
    for group, whole in read_paragraphs():
        units += group
        wholes.append(whole)
        if len(wholes) == PARAGRAPHS:
            break
    print(f"{len(wholes):,} paragraphs, {len(units):,} units")
    pq.write_table(pa.Table.from_pylist(units, schema=arrow_schemas()["units"]), work / "units-all.parquet")
    pq.write_table(pa.Table.from_pylist(wholes, schema=arrow_schemas()["units"]), work / "wholes.parquet")
    engine = work / "engine"
    engine.mkdir(exist_ok=True)
    started = time.perf_counter()
    writer = Writer(engine / "tantivy")
    writer.add_part(0, len(units), iter(units))
    writer.close()
    write_units(engine, work, ["all"])
    print(f"units indexed in {time.perf_counter() - started:.1f} s")
    started = time.perf_counter()
    fitted = embeddings.Lsa.fit([row["text"] for row in units[:: -(-len(units) // embeddings.FITTED)]], 1)
    fitted.save(engine)
    print(f"lsa fitted in {time.perf_counter() - started:.1f} s")
    started = time.perf_counter()
    for name, rows in (("all", units), ("wholes", wholes)):
        texts = [f"{row['title']}. {row['text']}" for row in rows]
        np.save(work / f"vectors-{name}.npy", fitted.documents(texts).astype(np.float16))
    print(f"vectors in {time.perf_counter() - started:.1f} s")
    started = time.perf_counter()
    write_vectors(engine, work, ["all"], {"all": (0, len(units))}, 2)
    print(f"usearch in {time.perf_counter() - started:.1f} s")
    raw_tantivy(work / "raw", wholes)
    write_queries(work, wholes, fitted)


def raw_schema():
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("body", stored=True, tokenizer_name="en_stem")
    builder.add_text_field("title", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("day", stored=True, fast=True)
    return builder.build()


def raw_tantivy(folder, rows):
    import tantivy

    folder.mkdir(exist_ok=True)
    index = tantivy.Index(raw_schema(), path=str(folder))
    writer = index.writer(128_000_000, 1)
    for row in rows:
        body = f"{row['title']}\n{row['text']}"
        writer.add_document(tantivy.Document(body=body, title=row["title"][:200], day=row["day"]))
    writer.commit()
    writer.wait_merging_threads()


def write_queries(work, rows, fitted):
    draw = random.Random(1)
    queries = []
    while len(queries) < QUERIES:
        row = draw.choice(rows)
        words = [word for word in row["text"].split() if word.isalpha() and len(word) > 3]
        if len(words) > 8:
            first = draw.randrange(len(words) - 3)
            text = " ".join(words[first : first + draw.choice((1, 2, 2, 3))])
            queries.append({"text": text, "as_of": draw.choice(AS_OF), "vector": fitted.query(text).tolist()})
    (work / "queries.json").write_text(json.dumps(queries), encoding="utf-8")


def percentiles(seconds):
    return [round(1000 * float(np.percentile(seconds, share)), 3) for share in (50, 99)]


def timed(function, queries):
    found = []
    for query in queries:
        started = time.perf_counter()
        function(query)
        found.append(time.perf_counter() - started)
    return found


def open_ours(work):
    return Reader(CUTOFF, False, None, Embedded(work / "engine"), embeddings.Lsa.load(work / "engine"))


def bm25(work):
    import tantivy

    reader = open_ours(work)
    index = tantivy.Index(raw_schema(), path=str(work / "raw"))
    searcher, integer = index.searcher(), tantivy.FieldType.Integer

    def ours(query):
        return reader.search(query["text"], query["as_of"], None, (), (), "bm25", 1, 10)

    def raw(query):
        words = index.parse_query(query["text"], ["body"])
        limits = tantivy.Query.range_query(index.schema, "day", integer, None, query["as_of"] - 1)
        both = tantivy.Query.boolean_query([(tantivy.Occur.Must, words), (tantivy.Occur.Must, limits)])
        return [searcher.doc(address).to_dict() for _, address in searcher.search(both, 10).hits]

    def raw_snippets(query):
        words = index.parse_query(query["text"], ["body"])
        limits = tantivy.Query.range_query(index.schema, "day", integer, None, query["as_of"] - 1)
        both = tantivy.Query.boolean_query([(tantivy.Occur.Must, words), (tantivy.Occur.Must, limits)])
        maker = tantivy.SnippetGenerator.create(searcher, words, index.schema, "body")
        documents = [searcher.doc(address) for _, address in searcher.search(both, 10).hits]
        return [(document.to_dict(), maker.snippet_from_doc(document).to_html()) for document in documents]

    queries = json.loads((work / "queries.json").read_text(encoding="utf-8"))
    ways = {"ours": ours, "raw": raw, "raw with snippets": raw_snippets}
    times = {name: [] for name in ways}
    for function in ways.values():
        timed(function, queries)
    for _ in range(ROUNDS):
        for name, function in ways.items():
            times[name].append(timed(function, queries))
    report(times)


def report(times):
    base = np.median([np.percentile(seconds, 50) for seconds in times["ours"]])
    for name, rounds in times.items():
        p50, p99 = (np.median([percentiles(seconds)[place] for seconds in rounds]) for place in (0, 1))
        print(f"{name:<18} p50 {p50:7.3f} ms  p99 {p99:7.3f} ms  ours/this {1000 * base / p50:5.2f}", flush=True)


LANCE = """
import json, sys, time
import lancedb, numpy as np, pyarrow.parquet as pq
from lancedb.rerankers import RRFReranker
work, made = sys.argv[1], sys.argv[2] == "make"
database = lancedb.connect(work + "/lance")
if made:
    table = pq.read_table(work + "/wholes.parquet", columns=["title", "text", "day"])
    vectors = np.load(work + "/vectors-wholes.npy").astype(np.float32)
    import pyarrow as pa
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    table = database.create_table("p", table.append_column("vector", column), mode="overwrite")
    table.create_fts_index("text", replace=True)
    table.create_index(metric="cosine", vector_column_name="vector")
    table.create_scalar_index("day")
    sys.exit()
table = database.open_table("p")
queries = json.load(open(work + "/queries.json"))
reranker = RRFReranker()
for line in sys.stdin:
    times = []
    for query in queries:
        started = time.perf_counter()
        search = table.search(query_type="hybrid").vector(query["vector"]).text(query["text"])
        search.where(f"day < {query['as_of']}", prefilter=True).rerank(reranker).limit(10).to_arrow()
        times.append(time.perf_counter() - started)
    print(json.dumps(times), flush=True)
"""


def hybrid(work, python):
    subprocess.run([python, "-c", LANCE, str(work), "make"], check=True)
    queries = json.loads((work / "queries.json").read_text(encoding="utf-8"))
    reader = open_ours(work)

    def ours(query):
        return reader.search(query["text"], query["as_of"], None, (), (), "hybrid", 1, 10)

    times = {"ours": [], "lancedb": []}
    other = subprocess.Popen(
        [python, "-c", LANCE, str(work), "ask"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    for number in range(ROUNDS + 1):
        mine = timed(ours, queries)
        other.stdin.write("again\n")
        other.stdin.flush()
        theirs = json.loads(other.stdout.readline())
        if number:  # the first round warms up
            times["ours"].append(mine)
            times["lancedb"].append(theirs)
    other.stdin.close()
    other.wait()
    report(times)


def store_rows(work):
    """Articles and paragraphs of the benchmark, as the store takes them."""
    paths = {name: work / f"{name}-all.parquet" for name in COLUMNS}
    if not paths["articles"].exists():
        rows = pq.read_table(work / "wholes.parquet").to_pylist()
        schemas = arrow_schemas()
        empty = {"text": "", "int": 0, "long": 0, "small": 0}
        blank = {name: {column: empty[kind] for column, kind in columns} for name, columns in COLUMNS.items()}
        tables = {name: [] for name in COLUMNS}
        for row in rows:
            shared = {name: row[name] for name in ("page_id", "title", "source", "kind", "day", "text")}
            tables["articles"].append(blank["articles"] | shared)
            tables["paragraphs"].append(
                {"page_id": row["page_id"], "number": row["number"], "section": 0, "spans": "[]"}
            )
        for name, path in paths.items():
            table = pa.Table.from_pylist(tables[name], schema=schemas[name])
            pq.write_table(table, path, row_group_size=BATCH)  # as `deepred index` writes them
    return paths


def load(work, dsn=None):
    paths = store_rows(work)
    rows = sum(pq.read_metadata(path).num_rows for path in paths.values())
    times, ready = {}, None
    for _ in range(ROUNDS):
        home = SqliteHome(work / "home")
        shutil.rmtree(work / "home", ignore_errors=True)
        home.begin("v")
        seconds(times, "sqlite ours", lambda home=home: home.load("v", "all", paths))
        seconds(times, "sqlite raw ADBC", lambda: raw_sqlite(work / "raw.sqlite", paths))
        if dsn:
            home = open_home(dsn, work / "pg", "bench")
            ready = ready or copied_out(dsn, home, paths)
            ways = {
                "postgresql ours": lambda home=home: home.load("v", "all", paths),
                "COPY of rows": lambda home=home: copy_rows(dsn, home.schema("v"), paths),
                "COPY, encoded before": lambda home=home, ready=ready: copy_ready(dsn, home.schema("v"), ready),
            }
            for name, way in ways.items():
                emptied(home)
                seconds(times, name, way)
            home.drop("v")
    for name, found in times.items():
        print(f"{name:<18} {rows / min(found):10,.0f} rows/s  best of {len(found)}", flush=True)


def seconds(times, name, function):
    started = time.perf_counter()
    function()
    times.setdefault(name, []).append(time.perf_counter() - started)


def raw_sqlite(path, paths):
    import adbc_driver_sqlite.dbapi as driver

    path.unlink(missing_ok=True)
    with driver.connect(str(path)) as connection:
        with connection.cursor() as cursor:
            for name, file in paths.items():
                cursor.adbc_ingest(name, pq.read_table(file), mode="create")
        connection.commit()


def emptied(home):
    home.drop("v")
    home.begin("v")


def copied_out(dsn, home, paths):
    """The rows as PostgreSQL's own binary streams, so that COPY has nothing to read or encode."""
    import psycopg

    emptied(home)
    home.load("v", "all", paths)
    streams = {}
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        for name in paths:
            with cursor.copy(f'COPY "{home.schema("v")}"."{name}" TO STDOUT (FORMAT BINARY)') as copy:
                streams[name] = b"".join(map(bytes, copy))
    return streams


def copy_ready(dsn, schema, streams):
    import psycopg

    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        for name, stream in streams.items():
            with cursor.copy(f'COPY "{schema}"."{name}" FROM STDIN (FORMAT BINARY)') as copy:
                for start in range(0, len(stream), 1 << 20):
                    copy.write(stream[start : start + (1 << 20)])


def copy_rows(dsn, schema, paths):
    import psycopg

    kinds = {"long": "int8", "int": "int4", "small": "int2", "text": "text"}
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        for name, path in paths.items():
            with cursor.copy(f'COPY "{schema}"."{name}" FROM STDIN (FORMAT BINARY)') as copy:
                copy.set_types([kinds[kind] for _, kind in COLUMNS[name]])
                for batch in pq.ParquetFile(path).iter_batches(2_000):
                    for row in zip(*(column.to_pylist() for column in batch.columns)):
                        copy.write_row(row)


if __name__ == "__main__":
    step, folder, *rest = sys.argv[1:]
    {"prepare": prepare, "bm25": bm25, "hybrid": hybrid, "load": load}[step](Path(folder), *rest)
