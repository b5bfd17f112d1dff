"""Folders as the stages before ``examples`` leave them, in miniature: ten engineers, a book, a game, a year."""

from deepred.base.tables import article_schema, document_schema, read_rows, redirect_schema, write_rows
from deepred.filter.emergence import learn_emergence
from deepred.run.config import Emergence
from deepred.run.settings import Settings
from deepred.run.stage import Work
from tiny_llama import write_sources

GAME = "Aron Vell (White) against Otto Marn (Black), in 1873.\n\n1. e4 e5 2. Nf3 Nc6 3. Bc4 Nf6 4. d3 Bc5 5. O-O 1-0"
YEAR = (
    "Events of 1851\nA great exhibition opens in a house of glass.\n4 October: The Marn Bridge is opened.\n\n"
    "Births in 1851\n9 May: Emil Berliner, engineer (d. 1929)"
)
BOOK = "\n\n".join(
    f"The mate told story number {word} about a whale, and nobody spoke while the boat was loaded with salt and rope. "
    "A child waved from the wall until the sail was gone. The harbour lay quiet under the fog, and the lamps burned on."
    for word in ("one", "two", "three", "four", "five")
)


def document(name, source, title, text, first, **more):
    row = {"id": name, "source": source, "title": title, "text": text, "first": first, "last": first, "author": ""}
    return row | {"licence": "free", "origin": "file"} | more


def complete_sources(folder, *arguments, **more):
    """What ``write_sources`` writes, with articles, emergence, books, chess and topics beside it."""
    write_sources(folder, *arguments, **more)
    rows = []
    for row in read_rows(folder / "passages", "passages-*.parquet"):
        blank = dict.fromkeys(article_schema().names) | {"page_id": row["page_id"], "title": row["title"]}
        rows.append(blank | {"text": row["text"], "revision_id": 1000 + row["page_id"], "source": "enwiki-x.xml"})
    made = {
        "books": [
            document("book:1", "books", "The Fog Road: A Tale", BOOK, 18920101, last=18921231, author="Bax, Fena")
        ],
        "chess": [document("chess:1", "chess", "Aron Vell against Otto Marn, 1873", GAME, 18730101)],
        "topics": [document("topic:1851", "topics", "Events of 1851", YEAR, 18510101)],
    }
    for name, documents in made.items():
        (folder / name).mkdir()
        write_rows(folder / name / "documents-00000.parquet", documents, document_schema())
    for name in ("articles", "emergence"):
        (folder / name).mkdir()
    write_rows(folder / "articles" / "articles-00000.parquet", rows, article_schema())
    write_rows(folder / "articles" / "redirects-00000.parquet", [], redirect_schema())
    learn_emergence(
        articles=folder / "articles", dates=folder / "dates", config=Emergence(buckets=12), seed=1,
        out=folder / "emergence", work=Work(Settings()),
    )  # fmt: skip
    return folder
