"""A mixture as a dataset folder that ``datasets`` loads: Parquet or JSON lines, a card, and every document's origin.

In: a finished mixture and the articles that it came from. Out: ``data/train-*``, ``data/validation-*`` and
``README.md`` with the splits, the mixture's table and the licences. Documents stand as often as the mixture reads them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from deepred.base.days import Day, format_day
from deepred.base.tables import document_schema, read_rows, write_rows
from deepred.corpus.licences import GENERATED_LICENCE, WIKIPEDIA_LICENCE, Attribution
from deepred.run.stage import Counts, Work
from deepred.run.workers import DONE

Format = Literal["parquet", "jsonl"]
SPLITS = ("train", "validation")
BATCH = 1024


@dataclass(frozen=True)
class Portion:
    """One file of the mixture on its way into the dataset."""

    path: Path
    format: Format
    attribution: Attribution


@dataclass(frozen=True)
class Origin:
    """What the card says of where the corpus comes from."""

    name: str
    cutoff: Day
    arm: str
    language: str
    table: dict[str, dict[str, Any]]
    """The mixture's ``notes["sources"]``."""


def export_schema() -> Any:
    """The columns of an exported dataset: those of documents; revision, link and changes in place of file names."""
    import pyarrow as pa

    kept = [field for field in document_schema() if field.name != "origin"]
    return pa.schema([*kept, ("revision", pa.int64()), ("link", pa.string()), ("changes", pa.string())])


def export_corpus(
    *, mixture: Path, articles: Path, origin: Origin, out: Path, work: Work, file_format: Format = "parquet"
) -> Counts:
    """Write the dataset into ``out``; counts hold documents and bytes of text, tallied by split, source and licence."""
    scratch = out / DONE / "attribution"
    Attribution.write(articles, scratch)
    attribution = Attribution(scratch, origin.language, origin.cutoff, origin.arm)
    files = [path for split in SPLITS for path in sorted(mixture.glob(f"{split}-*.parquet"))]
    data = out / "data"
    portions = [(path.stem, Portion(path, file_format, attribution)) for path in files]
    counts = work.map_shards(write_portion, portions, data)
    shutil.rmtree(data / DONE)
    (out / "README.md").write_text(write_card(origin, counts, file_format), encoding="utf-8")
    return counts


def write_portion(portion: Portion, folder: Path) -> Counts:
    """One file of the mixture in the wanted format, every document with its attribution."""
    counts = Counts()
    split = portion.path.stem.partition("-")[0]
    rows = _attributed(portion, split, counts)
    target = folder / f"{portion.path.stem}.{portion.format}"
    if portion.format == "parquet":
        write_rows(target, rows, export_schema(), batch=BATCH)
        return counts
    with target.open("wb") as file:
        names = export_schema().names
        file.writelines(orjson.dumps({name: row[name] for name in names}) + b"\n" for row in rows)
    return counts


def _attributed(portion: Portion, split: str, counts: Counts) -> Iterator[dict[str, Any]]:
    for row in portion.attribution.of(read_rows(portion.path.parent, portion.path.name)):
        del row["origin"]
        counts.add("documents")
        counts.add("bytes", len(row["text"].encode()))
        counts.tally("split", split)
        counts.tally("licence", f"{row['source']}: {row['licence']}")
        yield row


def write_card(origin: Origin, counts: Counts, file_format: Format) -> str:
    """The dataset's card: front matter that names the splits, what the text is, its table and its licences."""
    splits = "".join(
        f"      - split: {split}\n        path: data/{split}-*.{file_format}\n"
        for split in SPLITS
        if counts.tallies.get("split", {}).get(split)
    )
    rows = "\n".join(
        f"| {source} | {v['documents']:,} | {v['tokens']:,} | {v['share']:.1%} | {v['epochs']:g} | {drops(v)} |"
        for source, v in origin.table.items()
    )
    licences = "\n".join(f"- {line}" for line in licence_lines(counts))
    removed = {
        "filtered": f"Sentences that may speak of {format_day(origin.cutoff)} or later were removed by a filter. It is "
        "not perfect: the run's report states what it leaves.",
        "unfiltered": "Nothing was removed for its date: this is the corpus that a filtered one is compared with.",
        "floor": "The filtered corpus without the facts that the run's questions ask for: a model that never saw them.",
    }
    return f"""---
configs:
  - config_name: default
    data_files:
{splits}language:
  - {origin.language}
license: other
license_name: see-licence-column
task_categories:
  - text-generation
---
# {origin.name}: corpus ({origin.arm}), cutoff {format_day(origin.cutoff)}

Text for training a language model whose knowledge ends before {format_day(origin.cutoff)}. {removed[origin.arm]}

```python
from datasets import load_dataset

corpus = load_dataset("PATH OF THIS FOLDER")
```

A row is a document: `id`, `source`, `title`, `text`, `first` and `last` (first published or played, as year * 10000 +
month * 100 + day, years before 1 astronomical; empty for articles), `author`, `licence`, `revision`, `link`, `changes`.
A document stands in `train` as often as the mixture reads it.

| source | documents | tokens (estimated) | share | epochs | dropped |
|---|--:|--:|--:|--:|---|
{rows}

## Licences and attribution

{licences}
"""


def drops(values: dict[str, Any]) -> str:
    """What a source lost, by reason: ``duplicate 3, weight 10``."""
    return ", ".join(f"{reason} {number:,}" for reason, number in values.get("drops", {}).items()) or "–"


def licence_lines(counts: Counts) -> list[str]:
    """A line for every source in the dataset: what its licence is and what it asks for."""
    tally = counts.tallies.get("licence", {})
    known: dict[str, Callable[[str], str]] = {"wikipedia": _of_wikipedia, "books": _of_books, "topics": _of_topics}
    lines: dict[str, None] = {}
    for name in sorted(tally):
        source, _, licence = name.partition(": ")
        lines[known[source](licence) if source in known else f"**{source}**: {licence or 'not stated'}."] = None
    return list(lines)


def _of_wikipedia(licence: str) -> str:
    if licence == GENERATED_LICENCE:
        return f"**wikipedia**: {licence}."
    return (
        f"**wikipedia**: text of Wikipedia's authors under {WIKIPEDIA_LICENCE} "
        "(<https://creativecommons.org/licenses/by-sa/4.0/>). Each row names title, revision and link, whose history "
        "lists the authors; `changes` says how the text was modified. What you build from it and share falls under the "
        "same licence."
    )


def _of_topics(licence: str) -> str:
    told = "from Wikipedia's year and date articles, changed as `changes` says"
    return f"**topics**: {licence or WIKIPEDIA_LICENCE}, {told}."


def _of_books(_: str) -> str:
    return (
        "**books**: works in the public domain in some countries; `licence` states for each book where, as far as its "
        "authors' lives are known. What distributors had added was removed, and the texts do not bear their names. "
        "Check the law of your country."
    )
