"""The library and the mixture, measured: near-duplicates, memory, token estimate, themes, chess against python-chess.

    python benchmarks/library.py duplicates PARQUET [--documents 10000]   recall of planted copies, false merges
    python benchmarks/library.py memory [--documents 100000]              bytes and seconds a document
    python benchmarks/library.py tokens TEXT … --vocabulary JSON --merges TXT   estimate against a byte-level BPE
    python benchmarks/library.py themes TEXT …                            MB a second a core, chunks of each theme
    python benchmarks/library.py chess PGN … [--games 250]                CPU of every rendering against read_game's

CPU time throughout; ratios are medians of alternating rounds. Add --json for programs.
"""

import argparse
import io
import json
import random
import statistics
import tempfile
import time
import tracemalloc
from collections import Counter
from pathlib import Path

THRESHOLD = 0.85


def changed(words, pick, vocabulary):
    """The words with every tenth replaced, at random places."""
    words = list(words)
    for place in pick.sample(range(len(words)), max(1, round(0.1 * len(words)))):
        words[place] = pick.choice(vocabulary)
    return words


def inserted_and_deleted(words, pick, vocabulary):
    """The words with a tenth of them inserted or deleted, at random places."""
    words = list(words)
    for _ in range(max(1, round(0.1 * len(words)))):
        place = pick.randrange(len(words))
        if pick.random() < 0.5:
            words.insert(place, pick.choice(vocabulary))
        else:
            del words[place]
    return words


def moved(words, pick, _):
    """The words with five blocks in another order."""
    size = -(-len(words) // 5)
    blocks = [words[start : start + size] for start in range(0, len(words), size)]
    return [word for block in pick.sample(blocks, len(blocks)) for word in block]


def read_texts(path, number, by_article):
    """Distinct paragraphs of 30 words and more, or whole articles, drawn by a fixed seed."""
    from deepred.base.tables import read_rows

    texts = {}
    for row in read_rows(path.parent, path.name, ["text"]):
        parts = [row["text"]] if by_article else row["text"].split("\n")
        texts.update((" ".join(part.split()), None) for part in parts if len(part.split()) >= 30)
        if len(texts) > 20 * number:
            break
    return random.Random(1).sample(list(texts), min(number, len(texts)))


def find(texts, trace=False):
    """Kinds and originals of the documents, CPU seconds of signing and of finding, and the most memory of finding.

    Memory is what is allocated (``tracemalloc``, numpy's arrays included): mapped files are the system's to drop.
    """
    from deepred.corpus.duplicates import find_duplicates
    from deepred.corpus.minhash import Bands, Signatures, SignatureWriter
    from deepred.text.phrases import names_of

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.process_time()
        part, parts, number = None, [], 0
        for number, text in enumerate(texts):
            if number % 10_000 == 0:
                if part:
                    part.close()
                parts.append(f"part-{number // 10_000:05d}")
                part = SignatureWriter(folder, parts[-1], Bands.of(THRESHOLD))
            part.add(text, names_of(text))
        part.close()
        signed = time.process_time()
        if trace:
            tracemalloc.start()
        kinds, originals = find_duplicates(Signatures(folder, parts), THRESHOLD, folder)
        peak = tracemalloc.get_traced_memory()[1] if trace else 0
        tracemalloc.stop()
        return kinds, originals, signed - started, time.process_time() - signed, peak


def measure_duplicates(options):
    """Recall of three kinds of planted copies among distinct documents, and what else was merged."""
    from deepred.text.phrases import names_of

    texts = read_texts(options.parquet, options.documents, options.articles)
    pick, words = random.Random(3), [names_of(text) for text in texts]
    vocabulary = [word for document in words[:2000] for word in document]
    edits = (changed, inserted_and_deleted, moved)
    planted = [(edit, n) for edit in edits for n in range(min(1000, len(texts)))]
    copies = [" ".join(edit(words[n], pick, vocabulary)) for edit, n in planted]
    kinds, originals, signing, finding, _ = find([*texts, *copies])
    distinct = len(texts)
    result = {
        edit.__name__: round(
            statistics.fmean(
                kinds[distinct + place] != 0 and (originals[distinct + place] == n or kinds[n] != 0)
                for place, (used, n) in enumerate(planted)
                if used is edit
            ),
            4,
        )
        for edit in edits
    }
    merged = [(texts[n], texts[originals[n]]) for n in range(distinct) if kinds[n]]
    result |= {"distinct": distinct, "merged": len(merged), "signing_s": signing, "finding_s": finding}
    for one, other in merged[:10]:
        print(f"merged: {one[:110]!r}\n   with {other[:110]!r}")
    return result


def measure_memory(options):
    """What finding duplicates costs a document in memory, disk and CPU, on random text with planted copies."""
    from deepred.corpus import duplicates, minhash

    minhash.RANGE = options.range
    duplicates.BLOCK = options.range
    pick = random.Random(1)
    vocabulary = [f"w{n}" for n in range(20_000)]

    def texts():
        text = []
        for number in range(options.documents):
            text = changed(text, pick, vocabulary) if number % 10 == 9 else pick.choices(vocabulary, k=100)
            yield " ".join(text)

    kinds, _, signing, finding, peak = find(texts(), trace=True)
    return {
        "documents": options.documents,
        "bytes_a_document": round(peak / options.documents, 1),
        "found": int((kinds != 0).sum()),
        "signing_ms": round(1000 * signing / options.documents, 3),
        "finding_ms": round(1000 * finding / options.documents, 3),
    }


def measure_tokens(options):
    """The estimate as a share of what a byte-level BPE counts, by file."""
    from tokenizers import ByteLevelBPETokenizer

    from deepred.text.chunks import estimate_tokens

    tokenizer = ByteLevelBPETokenizer(str(options.vocabulary), str(options.merges))
    texts = {path.name: path.read_text(encoding="utf-8", errors="replace")[:500_000] for path in options.texts}
    return {name: round(estimate_tokens(text) / len(tokenizer.encode(text).ids), 3) for name, text in texts.items()}


def measure_themes(options):
    """Speed of chunking and scoring books, and the chunks of each theme."""
    from deepred.run.config import Books
    from deepred.sources.books.gutenberg_text import clean_book, decode
    from deepred.sources.books.themes import rarities, shipped_themes
    from deepred.text.chunks import split_chunks

    books = [clean_book(decode(path.read_bytes()) or "").text for path in options.texts]
    themes, config = shipped_themes(), Books()
    started = time.process_time()
    chunks = [chunk for book in books for chunk in split_chunks(book, config.chunk_tokens)]
    chunked = time.process_time()
    counts = [themes.count(chunk) for chunk in chunks]
    rarity = rarities(len(chunks), Counter(number for count in counts for number in count))
    scores = [themes.score(count, rarity) for count in counts]
    done = time.process_time()
    size = sum(len(book.encode()) for book in books) / 1e6
    assert "".join(chunks) == "".join(books)
    about = Counter(theme for score in scores for theme, value in score.items() if value >= config.theme_score)
    return {
        "MB": round(size, 1),
        "MB_a_second": round(size / (done - started), 2),
        "chunking_MB_a_second": round(size / (chunked - started), 2),
        "scoring_MB_a_second": round(size / (done - chunked), 2),
        "chunks": len(chunks),
        **about,
    }


def measure_chess(options):
    """CPU of reading, replaying and telling games, as a ratio to python-chess's ``read_game`` over the same games."""
    import chess.pgn

    from deepred.run.stage import Counts
    from deepred.sources.chess import chess as stage
    from deepred.sources.chess.pgn import movetext_of

    places = list(stage.admit_games(options.pgn, 19690720, "drop", Counts()))[: options.games]
    games = [stage._read_at(place) for place in places]
    written = [
        "".join(f'[{name} "{value}"]\n' for name, value in game.headers.items()) + f"\n{movetext_of(game).strip()}\n"
        for game in games
    ]

    def tell(rendering):
        for place in places:
            played = stage.replay(stage._read_at(place), place.played, rendering)
            if not isinstance(played, str):
                stage.render(played, rendering, place.key)

    ratios = {rendering: [] for rendering in stage.RENDERINGS}
    for _ in range(options.rounds):
        for rendering, found in ratios.items():
            started = time.process_time()
            for text in written:
                chess.pgn.read_game(io.StringIO(text))
            read = time.process_time()
            tell(rendering)
            found.append((time.process_time() - read) / (read - started))
    return {"games": len(places)} | {name: round(statistics.median(found), 2) for name, found in ratios.items()}


def main():
    """Run one measurement and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    duplicates = commands.add_parser("duplicates")
    duplicates.add_argument("parquet", type=Path)
    duplicates.add_argument("--documents", type=int, default=10_000)
    duplicates.add_argument("--articles", action="store_true", help="whole articles, not paragraphs")
    duplicates.set_defaults(measure=measure_duplicates)
    memory = commands.add_parser("memory")
    memory.add_argument("--documents", type=int, default=100_000)
    memory.add_argument("--range", type=int, default=1 << 20, help="documents of a range: smaller shows what grows")
    memory.set_defaults(measure=measure_memory)
    tokens = commands.add_parser("tokens")
    tokens.add_argument("texts", type=Path, nargs="+")
    tokens.add_argument("--vocabulary", type=Path, required=True)
    tokens.add_argument("--merges", type=Path, required=True)
    tokens.set_defaults(measure=measure_tokens)
    themes = commands.add_parser("themes")
    themes.add_argument("texts", type=Path, nargs="+")
    themes.set_defaults(measure=measure_themes)
    chess = commands.add_parser("chess")
    chess.add_argument("pgn", type=Path, nargs="+")
    chess.add_argument("--games", type=int, default=250)
    chess.add_argument("--rounds", type=int, default=3)
    chess.set_defaults(measure=measure_chess)
    for command in (duplicates, memory, tokens, themes, chess):
        command.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = options.measure(options)
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:<24} {value}")


if __name__ == "__main__":
    main()
