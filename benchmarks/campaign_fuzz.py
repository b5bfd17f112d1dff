"""Seeded damage to real samples, put into every reader: what raises, what takes too long, what breaks a promise.

    export DEEPRED_SAMPLES=…
    python benchmarks/campaign_fuzz.py [--reader NAME …] [--inputs 1000] [--seconds 60] [--seed 1]

An input is a piece of a sample of the reader, with bytes flipped, pieces cut, doubled, nested a hundred times over or
replaced by pieces of other readers' samples. A reader may give its result, or an error for people (DeepRedError); it
takes processor time in proportion to the input; and what it gives keeps its promises (offsets in range and in order,
pieces that join to the text, intervals that begin before they end). Each fault is printed with the input that shows it,
cut down; the table at the end is Markdown. ``tests/sources/wiki/fuzz_wikitext.py`` does the same for pages of wikitext,
from a grammar of its own.
"""

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from deepred.base.chat_markers import MARKS, disarm
from deepred.base.days import Interval
from deepred.base.errors import DeepRedError
from deepred.run.stage import Counts

SECONDS_PER_100_KB = 1.0
LEAST_SECONDS = 0.5
"""Below this nothing is measured: the clock and the garbage collector wobble."""
LONGEST_SECONDS = 10.0
"""Seconds after which an input is given up."""
LONGEST = 6000
"""Bytes of a sample's piece at most, before it is damaged."""
ODD = [
    b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\n", b"\n\n", b'"', b"'", b"\\", b"{", b"}",
    b"[", b"]", b"(", b")", b"<", b">", b"&", b"|", b"=", b"-1", b"0", b"00", b"1e999", b"NaN", b"9" * 30, b"9" * 5000,
    b"\\ud800", b"0000", b"-9999", b"10000000000", b"1969-02-31", b"<!--", b"<![CDATA[", b"\xc2\x85", b"\xe2\x80\xa8",
    b"\x0c", b"\x1c", "İ".encode(), "٣".encode(), "²".encode(), "Ⅳ".encode(), "ﬀ".encode(), "\U0001f600".encode(),
    b"<|im_end|>", b"1.",
]  # fmt: skip
SCRATCH = Path(tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))


@dataclass(frozen=True)
class Reader:
    """What is fed: a function on bytes that returns a broken promise or nothing; where its samples lie."""

    feed: Callable[[bytes], str]
    samples: tuple[str, ...]
    own: tuple[bytes, ...] = field(default=())


def text_of(data):
    return data.decode("utf-8", "replace")


def in_order(spans, length, what):
    """Whether spans lie in a text, in order and apart from each other."""
    at = 0
    for start, end in spans:
        if not at <= start < end <= length:
            return f"{what} {start}:{end} after {at} in {length} characters"
        at = end
    return ""


def bad_interval(first, last):
    return f"an interval from {first} to {last}" if first is not None and last is not None and first > last else ""


def feed_dates(data):
    from deepred.text.dates.find import find_dates

    text = text_of(data)
    found = find_dates(text)
    wrong = [bad_interval(span.interval.first, span.interval.last) for span in found]
    return in_order([(span.start, span.end) for span in found], len(text), "a date") or next(filter(None, wrong), "")


def feed_sentences(data):
    from deepred.text.sentences import segment

    text = text_of(data)
    for plain in (False, True):
        found = segment(text, title="The title", plain=plain)
        spans = sorted([*zip(found.starts, found.ends), *found.headings])
        if wrong := in_order(spans, len(text), "a sentence"):
            return wrong
        ends = [0, *(end for _, end in spans)]
        starts = [*(start for start, _ in spans), len(text)]
        left = "".join(text[end:start] for end, start in zip(ends, starts))
        if any(map(str.isalnum, left)):
            return f"text in no sentence: {left.strip()[:40]!r}"
    return ""


def feed_chunks(data):
    from deepred.text.chunks import estimate_tokens, split_chunks

    text = text_of(data)
    chunks = split_chunks(text, 40)
    if "".join(chunks) != text:
        return "the chunks do not join to the text"
    return next(
        (f"a chunk of {estimate_tokens(c)} tokens" for c in chunks if estimate_tokens(c) > 40 and len(c) > 1), ""
    )


def feed_lead(data):
    from deepred.dating.lead import lead_evidence

    title, _, text = text_of(data).partition("\n")
    wrong = [bad_interval(row.first, row.last) for row in lead_evidence(title[:200], text)]
    return next(filter(None, wrong), "")


def feed_categories(data):
    from deepred.dating.categories import category_evidence

    found = [category_evidence(line) for line in text_of(data).splitlines()]
    return next(filter(None, (bad_interval(row.first, row.last) for row in found if row)), "")


def feed_infobox(data):
    from deepred.sources.wiki.prefixes import Prefixes
    from deepred.sources.wiki.wikitext import parse

    parsed = parse(text_of(data), Prefixes.of("en"), title="Page")
    wrong = (bad_interval(row["first"], row["last"]) for row in map(_as_row, parsed.infobox_dates))
    return next(filter(None, wrong), "")


def _as_row(row):
    return row if isinstance(row, dict) else row._asdict()


def feed_template(data):
    """Date templates with odd arguments: the bytes between bars are the arguments."""
    names = ("birth date and age", "death date", "start date", "circa", "as of", "age in years", "convert", "dts",
             "reign", "floruit", "OldStyleDate", "years ago", "film date", "date", "BirthDeathAge", "bda")  # fmt: skip
    from deepred.sources.wiki.prefixes import Prefixes
    from deepred.sources.wiki.wikitext import parse

    text = text_of(data).replace("}}", "").replace("{{", "")
    for name in names:
        parsed = parse("{{" + name + "|" + text[:300] + "}} {{Infobox x|born={{" + name + "|" + text[:300] + "}}}}",
                       Prefixes.of("en"), title="Page")  # fmt: skip
        if wrong := next(
            filter(None, (bad_interval(r["first"], r["last"]) for r in map(_as_row, parsed.infobox_dates))), ""
        ):
            return f"{name}: {wrong}"
    return ""


def feed_book(data):
    from deepred.sources.books.first_published import date_book
    from deepred.sources.books.gutenberg_text import clean_book, decode, header_number

    text = decode(data)
    if text is None:
        return ""
    header_number(text)
    book = clean_book(text)
    dating = date_book(None, book.fields, book.front, book.notes, "drop")
    return bad_interval(dating.interval.first, dating.interval.last) if dating.interval else ""


def feed_pgn(data):
    from deepred.sources.chess.pgn import moves_key, movetext_of, player_key, read_games
    from deepred.sources.chess.replay import replay

    path = _file("games.pgn", data)
    games = list(read_games(path))
    at = -1
    for game in games:
        if not at < game.offset <= len(data):
            return f"a game at byte {game.offset} after {at} of {len(data)}"
        at = game.offset
        moves_key(game.movetext)
        player_key(game.headers.get("White", ""))
        played = game.date()
        if played and (wrong := bad_interval(played.first, played.last)):
            return wrong
        replay(game, played or Interval(19000101, 19000101), "narrated")
        movetext_of(game)
    return ""


def feed_dump(data):
    from deepred.sources.wiki.dump import (
        DamageError,
        find_cut,
        iterate_pages,
        kind_of,
        names_in,
        plan_ranges,
        read_site,
    )
    from deepred.sources.wiki.page import Page

    path = _file("dump", data)
    kind_of(path)
    try:
        read_site(path)
        find_cut(path)
        names_in(path)
        plan_ranges(path)
    except DamageError:
        pass
    whole, halves = [], []
    for found, ranges in ((whole, [(0, len(data))]), (halves, [(0, len(data) // 2), (len(data) // 2, len(data))])):
        for start, end in ranges:
            try:
                for _, item in iterate_pages(path, start, end):
                    if isinstance(item, Page):
                        found.append(item.title)
            except DamageError:
                found.append(None)
                break
    plain = data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") and b"<!" not in data
    return "two ranges give other pages than one" if plain and None not in whole + halves and whole != halves else ""


def feed_wikidata(data):
    from deepred.dating.facts.dump_lines import DamageError, iterate_lines, split_dump
    from deepred.dating.facts.entities import EntityReader
    from deepred.dating.facts.ntriples import TripleReader

    path = _file("wikidata", data)
    for part in split_dump(path):
        counts = Counts()
        reader = (TripleReader if part.form == "triples" else EntityReader)("enwiki", counts)
        try:
            for block in iterate_lines(part):
                for row in reader.read(block):
                    days = [value for value in row if isinstance(value, int) and abs(value) > 100_000]
                    if len(days) >= 2 and (wrong := bad_interval(days[0], days[1])):
                        return wrong
        except DamageError:
            pass
    return ""


def feed_yago(data):
    from deepred.dating.facts.yago import _subjects, check_yago

    path = _file("yago.ttl", data)
    check_yago(path)
    for subject in _subjects(path, "en", Counts()):
        for *_, interval, _precision in subject.rows:
            if wrong := bad_interval(interval.first, interval.last):
                return wrong
    return ""


def feed_catalogue(data):
    from deepred.sources.books.catalogue import read_catalogue

    read_catalogue(
        [_file("catalogue.rdf" if data.lstrip().startswith(b"<") else "catalogue.csv", data)], None, Counts()
    )
    return ""


def feed_filter(data):
    from deepred.filter.use.plain_text import filter_text, read_blocks

    text = text_of(data)
    import io

    if "".join(read_blocks(io.StringIO(text, newline="").read)) != text:
        return "the blocks do not join to the text"
    found = filter_text(text)
    if all(verdict.kept for verdict in found.verdicts) and found.text != text:
        return "nothing is dropped, and the text comes out changed"
    return ""


def feed_marks(data):
    text = disarm(text_of(data))
    if left := [mark for mark in MARKS if mark in text]:
        return f"a mark is left: {left[0]!r}"
    return "" if disarm(text) == text else "broken twice is another text"


def feed_rest(data):
    from deepred.asking.replies import read_completion, read_pieces, read_problem
    from deepred.dating.by_model.date_answers import Answer
    from deepred.serve.index.query import check_page, read_query
    from deepred.serve.iso_days import parse_day

    text = text_of(data)
    read_query(text)
    read_problem(data)
    for line in text.splitlines()[:20]:
        for call in (
            parse_day,
            lambda line: check_page(line, len(line), len(line)),
            lambda line: read_pieces(line, "it"),
        ):
            try:
                call(line)
            except DeepRedError:
                continue
            except ValueError:
                if call is not parse_day:
                    raise
    read_completion(data, Answer)
    return ""


def feed_gguf(data):
    from deepred.export.gguf.gguf_header import read_metadata
    from deepred.export.llama_server import bounded_context

    path = _file("model.gguf", data)
    bounded_context(read_metadata(path))
    return ""


def feed_toml(data):
    from deepred.evaluate.chat_questions import load_forms
    from deepred.persona.personas import load_persona
    from deepred.run.config import load_run

    path = _file("file.toml", data)
    for load in (load_run, load_persona, load_forms):
        with contextlib.suppress(DeepRedError):
            load(path)
    return ""


def feed_rows(data):
    """The files of one row of JSON a line: labels, sheets, answers of teachers and of models that date."""
    from deepred.dating.by_model.date_answers import _checked
    from deepred.evaluate.reply_judge import read_labels as read_replies
    from deepred.filter.measure.label_sheet import read_labels
    from deepred.filter.measure.labelled import read_labelled
    from deepred.filter.model_answers import _read_rows
    from deepred.persona.model_teacher.teacher_answers import read_taught

    path = _file("rows.jsonl", data)
    readers = (
        read_labelled, lambda p: read_labels([p]), lambda p: list(read_taught([p])), lambda p: list(_read_rows(p)),
        lambda p: list(_checked(p, Counts())), lambda p: read_replies([p]),
    )  # fmt: skip
    for read in readers:
        with contextlib.suppress(DeepRedError):
            read(path)
    return ""


def feed_questions(data):
    from deepred.corpus.probes.from_files import file_questions

    for suffix in (".json", ".txt", ".csv"):
        with contextlib.suppress(DeepRedError):
            file_questions([_file(f"questions{suffix}", data)], {"Paris": 18000101}, 19690720, Counts())
    return ""


def _file(name, data):
    path = SCRATCH / name
    path.write_bytes(data)
    return path


PERSONA, RUNS = "package:persona/*.toml", "package:../../runs/*.toml"
READERS = {
    "dates in prose": Reader(feed_dates, ("articles", "wikiwars/*.xml", "gutenberg/*.txt")),
    "sentences": Reader(feed_sentences, ("articles", "gutenberg/*.txt", "wikitext/*.txt")),
    "chunks": Reader(feed_chunks, ("articles", "gutenberg/*.txt", "wikitext/*.txt")),
    "leads": Reader(feed_lead, ("articles",)),
    "categories": Reader(feed_categories, ("categories",)),
    "infoboxes": Reader(feed_infobox, ("wikitext/*.txt",)),
    "date templates": Reader(feed_template, (), own=(
        b"1969|7|20", b"df=yes|1969|07|20|1930|8|5", b"1969|7|20|mf=y", b"20 July 1969", b"July 1969|lc=y", b"1969",
        b"c. 1809|p=y|44 BC", b"1990|2|31|1|2|3", b"5|km|mi|0|abbr=on", b"-44|3|15", b"year=1969|month=July",
    )),
    "books": Reader(feed_book, ("gutenberg/*.txt",)),
    "PGN": Reader(feed_pgn, ("chess/*.pgn", "chess-odd/*.pgn")),
    "XML dumps": Reader(feed_dump, ("wikipedia/*.xml", "wikipedia/*.bz2", "unpacked")),
    "Wikidata": Reader(feed_wikidata, ("wikidata/*.json", "wikidata/*.ttl", "wikidata/*.jsonl", "triples")),
    "YAGO": Reader(feed_yago, ("yago/**/*.ttl", "yago/**/*.tsv", "wikidata/*.ttl")),
    "Gutenberg's catalogue": Reader(feed_catalogue, ("gutenberg-rdf/*.rdf",), own=(
        b"Text#,Type,Issued,Title,Language,Authors,Subjects,LoCC,Bookshelves\n1,Text,1971-12-01,A,en,"
        b"\"Verne, Jules, 1828-1905; Frith, Henry, 1840-1917? [Translator]\",Moon,PQ,Fiction\n",
    )),
    "filter on plain text": Reader(feed_filter, ("articles", "gutenberg/*.txt")),
    "chat markers": Reader(feed_marks, ("articles",), own=tuple(mark.encode() for mark in MARKS)),
    "queries and replies": Reader(feed_rest, ("articles",), own=(
        b'{"choices": [{"message": {"content": "{\\"first\\": \\"1969-07-20\\"}"}, "finish_reason": "stop"}]}',
        b'data: {"choices": [{"delta": {"content": "a"}}]}\n\ndata: [DONE]\n', b"1969-07-20\n-0044-03-15\n1969",
        b'"exact words" -without title:Moon', b'{"error": {"message": "x", "code": 4}}',
    )),
    "GGUF": Reader(feed_gguf, ("tokenizers/*.gguf", "gguf")),
    "TOML": Reader(feed_toml, (PERSONA, RUNS, "package:evaluate/forms.toml")),
    "rows of JSON": Reader(feed_rows, ("labels/*.jsonl", "package:evaluate/labelled.jsonl"), own=(
        b'{"hash": "ab12", "label": "P", "cutoff": "1969-07-20"}\n',
        b'{"task": "t", "form": "summary", "kind": "k", "document": "d", "start": 0, "end": 5, "digest": "x", '
        b'"title": "T", "model": "m", "outcome": "answered", "turns": [], "lines": ["a"]}\n',
        b'{"article": "00000000000000ff", "outcome": "answered", "model": "m", "answer": {"kind": "event"}}\n',
    )),
    "questions": Reader(feed_questions, ("questions/*",)),
}  # fmt: skip


@cache
def samples_of(name):
    """The bytes of a reader's samples; of large files the first megabytes."""
    found = list(READERS[name].own)
    for pattern in READERS[name].samples:
        found += _samples(pattern)
    return [data for data in found if data]


@cache
def _samples(pattern):
    import bz2

    folder = Path(os.environ.get("DEEPRED_SAMPLES", "/nowhere"))
    if pattern == "articles":
        import pyarrow.parquet as pq

        path = folder / "articles/enwiki-2015-core.parquet"
        if not path.is_file():
            return [b"Ada Lovelace (10 December 1815 - 27 November 1852) was a writer.\nShe died in 1852."]
        batch = next(pq.ParquetFile(path).iter_batches(batch_size=400, columns=["title", "text"]))
        return [f"{row['title']}\n{row['text']}".encode() for row in batch.to_pylist()]
    if pattern == "categories":
        texts = [path.read_bytes() for path in sorted((folder / "wikitext").glob("*.txt"))]
        lines = [
            line[11:].rstrip(b"]") for text in texts for line in text.splitlines() if line.startswith(b"[[Category:")
        ]
        return [b"\n".join(lines[at : at + 10]) for at in range(0, len(lines), 10)] or [
            b"1815 births\n19th-century ships"
        ]
    if pattern == "unpacked":
        files = sorted((folder / "wikipedia").glob("*.bz2"))
        return [bz2.BZ2Decompressor().decompress(file.read_bytes(), 200_000) for file in files[:3]]
    if pattern == "triples":
        entity, site = b"<http://www.wikidata.org/entity/Q1>", b"<https://en.wikipedia.org/wiki/Ada>"
        return [
            entity + b' <http://www.wikidata.org/prop/direct/P569> "1815-12-10T00:00:00Z"^^'
            + b"<http://www.w3.org/2001/XMLSchema#dateTime> .\n"
            + site + b" <http://schema.org/about> " + entity + b" .\n"
            + site + b' <http://schema.org/name> "Ada"@en .\n'
        ]  # fmt: skip
    if pattern == "gguf":
        return [_small_gguf()]
    root = folder
    if pattern.startswith("package:"):
        import deepred

        root, pattern = Path(deepred.__file__).parent, pattern.partition(":")[2]
        if pattern.startswith("../../"):
            root, pattern = root.parents[1], pattern[6:]
    return [file.open("rb").read(2_000_000) for file in sorted(root.glob(pattern)) if file.is_file()]


def _small_gguf():
    from gguf import GGUFWriter

    path = SCRATCH / "small.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_context_length(128)
    writer.add_token_list(["a", "b"])
    writer.add_string("deepred.persona", "Ada")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


def damage(pick, name):
    """A damaged piece of a sample; files with a head keep it in half of the cases."""
    sample = pick.choice(samples_of(name))
    length = min(len(sample), int(10 ** pick.uniform(1, 4)) if LONGEST else 0, LONGEST)
    start = 0 if pick.random() < 0.4 else pick.randrange(max(1, len(sample) - length + 1))
    data = bytearray(sample[start : start + length])
    for _ in range(pick.choice([0, 1, 1, 2, 3, 5, 10])):
        at = pick.randrange(len(data) + 1)
        end = min(len(data), at + pick.choice([0, 1, 1, 2, 8, 40, 300]))
        kind = pick.randrange(8)
        if kind == 0:
            for _ in range(pick.choice([1, 1, 4])):
                if data:
                    data[pick.randrange(len(data))] ^= 1 << pick.randrange(8)
        elif kind == 1:
            del data[at:end]
        elif kind == 2:
            data[at:at] = data[at:end] * pick.choice([1, 2, 50])
        elif kind == 3:
            data[at:end] = pick.choice(ODD)
        elif kind == 4:
            data[at:end] = pick.choice(ODD) * pick.choice([1, 2, 200])
        elif kind == 5:
            other = pick.choice(samples_of(name))
            place = pick.randrange(len(other))
            data[at:end] = other[place : place + pick.choice([5, 50, 500])]
        elif kind == 6:
            other = pick.choice(samples_of(pick.choice(list(READERS))))
            place = pick.randrange(len(other))
            data[at:end] = other[place : place + pick.choice([5, 50, 500])]
        else:
            del data[at:]
    return bytes(data[: 10 * LONGEST])


def problem(name, data):
    """What is wrong with a reader's answer to an input, or nothing."""
    reader = READERS[name]
    began = time.process_time()
    signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_SECONDS)
    try:
        wrong = reader.feed(data)
    except DeepRedError:
        wrong = ""
    except Exception as error:
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else ""
        return f"it raised {type(error).__name__} at {where}: {str(error)[:120]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    seconds = time.process_time() - began
    if not wrong and seconds > max(LEAST_SECONDS, SECONDS_PER_100_KB * len(data) / 100_000):
        return f"it took too long: {seconds:.2f} s for {len(data):,} bytes"
    return wrong


def _stop(signum, frame):
    raise TimeoutError(f"no end after {LONGEST_SECONDS:g} s")


def kind_of_problem(wrong):
    """What stays the same of a problem while its input is cut down."""
    return wrong.partition(": ")[0] if wrong.startswith("it ") else wrong.partition(" ")[0]


def shrink(name, data, seconds=3.0):
    """A shorter input with a problem of the same kind."""
    kind, until, size = kind_of_problem(problem(name, data)), time.monotonic() + seconds, len(data) // 2
    while kind and size and time.monotonic() < until:
        at = 0
        while at < len(data) and time.monotonic() < until:
            shorter = data[:at] + data[at + size :]
            if kind_of_problem(problem(name, shorter)) == kind:
                data = shorter
            else:
                at += size
        size //= 2
    return data


def fuzz(name, seed, most, seconds):
    """Random inputs until the number or the time is up: how many, their bytes, and the first fault of each kind."""
    problem(name, samples_of(name)[0][:LONGEST])  # what is read once does not count
    pick, until, faults = random.Random(f"{seed} {name}"), time.monotonic() + seconds, {}
    count = size = 0
    while count < most and time.monotonic() < until:
        data = damage(pick, name)
        count, size = count + 1, size + len(data)
        wrong = problem(name, data)
        if wrong and kind_of_problem(wrong) not in faults:
            faults[kind_of_problem(wrong)] = shrink(name, data)
            print(f"{name}: {wrong}\n  {faults[kind_of_problem(wrong)]!r}", flush=True)
    return count, size, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reader", action="append", choices=list(READERS), help="only these; repeatable")
    parser.add_argument("--inputs", type=int, default=1000, help="inputs of each reader")
    parser.add_argument("--seconds", type=float, default=600.0, help="seconds of each reader at most")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rows = []
    for name in options.reader or READERS:
        began = time.monotonic()
        count, size, faults = fuzz(name, options.seed, options.inputs, options.seconds)
        rows.append(f"| {name} | {count:,} | {size / 1e6:.0f} MB | {time.monotonic() - began:.0f} s | {len(faults)} |")
        print(rows[-1], flush=True)
    print("\n| reader | inputs | bytes | time | kinds of faults |\n|---|---|---|---|---|")
    print("\n".join(rows))
    sys.exit(any(not row.endswith("| 0 |") for row in rows))


if __name__ == "__main__":
    main()
