"""Hostile files put before every command and reader that takes files from outside, each in a process of its own.

    export DEEPRED_SAMPLES=…
    python benchmarks/campaign_hostile.py [--kind NAME …] [--keep]

A case is a file, or a folder, and what reads it: a command of the program, or (``READERS``) the function of the library
that a stage calls with it. The first case of a kind is a good small file and gives the measure. A hostile one has to end
within 60 seconds, with at most 1 GiB of memory more than the good one, with a status other than 0 or the item
counted as dropped, with one line that names the file, without a traceback, and with nothing written outside the case's
own folder. A process that takes 2 GiB more than that is ended. Each failure is printed; the table is Markdown.
"""

# ruff: noqa: E501, SIM115
import argparse
import bz2
import gzip
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path

SECONDS = 60
MORE = 1 << 30
ROOT = Path(__file__).resolve().parents[1]
ZEROS = 4 << 30
"""Bytes that a bomb unpacks to."""


# What reads: functions of the library by name, called with the path of the case -------------------------------------


def read_base(path):
    from deepred.run.config import Pretrain
    from deepred.train.model import build_model

    build_model(Pretrain.model_validate({"model": {"base": str(path)}}), path, 1)


def read_adopted(path):
    from deepred.corpus.tokenizer import train_tokenizer
    from deepred.run.config import Tokenizer
    from deepred.run.settings import Settings
    from deepred.run.stage import Work

    out = path.parent / "out"
    out.mkdir()
    train_tokenizer(mixture=path, config=Tokenizer(adopt=str(path)), out=out, work=Work(Settings()))


def read_for_export(path):
    from deepred.export.gguf.tensors import read_shape, read_tensors
    from deepred.export.gguf.vocabulary import read_vocabulary

    shape = read_shape(path)
    read_vocabulary(path, shape.vocabulary)
    for _ in read_tensors(path, shape):
        pass


def read_persona(path):
    from deepred.persona.personas import load_persona

    load_persona(path)


def read_forms(path):
    from deepred.evaluate.chat_questions import load_forms

    load_forms(path)


def read_replies(path):
    from deepred.evaluate.reply_judge import read_labels

    read_labels([path])


def read_taught(path):
    from deepred.persona.model_teacher.teacher_answers import read_taught

    list(read_taught([path]))


def read_dated(path):
    from deepred.dating.by_model.date_answers import _checked
    from deepred.run.stage import Counts

    counts = Counts()
    list(_checked(path, counts))
    print(f"{path}: {dict(counts.drops)}")
    sys.exit(3 if counts.drops else 0)


def read_sheet(path):
    from deepred.filter.measure.label_sheet import read_labels

    read_labels([path])


def read_labelled(path):
    from deepred.filter.measure.labelled import read_labelled

    read_labelled(path)


def read_questions(path):
    from deepred.corpus.probes.from_files import file_questions
    from deepred.run.stage import Counts

    counts = Counts()
    file_questions([path], {}, 19690720, counts)
    print(f"{path}: {dict(counts.drops)}")
    sys.exit(3 if counts.drops else 0)


def read_checkpoint(path):
    from deepred.train.checkpoint import load_latest

    load_latest(path)


def read_index(path):
    from deepred.serve.index.current import open_index

    index = open_index(path, "demo", store="sqlite", search="embedded")
    with index._reading() as reader:
        reader.store.check()


def read_facts(path):
    from deepred.dating.facts.facts import extract_facts
    from deepred.run.config import Facts

    key = "yago" if path.suffix == ".ttl" else "wikidata"
    _stage(path, extract_facts, config=Facts(wiki="enwiki"), sources={key: [path]})


def read_books(path):
    from deepred.run.config import Books
    from deepred.sources.books.books import collect_books

    is_book = path.suffix == ".txt"
    files = {"files": [path if is_book else path.parent / "good.txt"], "catalogue": [] if is_book else [path]}
    _stage(
        path, collect_books, config=Books(reading="all"), sources=files, cutoff=19690720, straddling="drop", world=None
    )


def read_games(path):
    from deepred.run.config import Chess
    from deepred.sources.chess.chess import narrate_games

    files = {"files": [path]}
    _stage(path, narrate_games, config=Chess(), sources=files, cutoff=19690720, straddling="drop", seed=1, world=None)


def read_articles(path):
    from deepred.run.config import Articles
    from deepred.sources.wiki.articles import extract_articles

    _stage(path, extract_articles, config=Articles(), sources={"plain": [path]})


def _stage(path, function, **given):
    """The function of a stage; what it dropped is said, and the status is 3."""
    from deepred.run.settings import Settings
    from deepred.run.stage import Work

    if not path.is_file():
        from deepred.run.inputs import resolve

        resolve(str(path), Settings(), None, "files")  # the runner looks for every file first
    out = path.parent / "out"
    out.mkdir()
    counts = function(**given, out=out, work=Work(Settings(workers=1))).to_json()
    print(f"{path}: dropped {counts.get('drops')} {counts.get('notes')}")
    sys.exit(3 if counts.get("drops") else 0)


READERS = {name[5:]: value for name, value in list(globals().items()) if name.startswith("read_")}


def call(reader, path):
    """Call a reader as a command would be called: errors for people in one line, other ones with their traceback."""
    from deepred.base.errors import DeepRedError

    try:
        READERS[reader](path)
    except DeepRedError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except Exception:
        traceback.print_exc()
        sys.exit(1)


# The cases: a kind is what reads, and files by name; each is made by a function of its path -------------------------


def put(content):
    return lambda path: path.write_bytes(content)


def zeros(opened, before=b"", unit=bytes(1 << 20)):
    """A packed file of gigabytes of zeros behind a beginning that is as it should be."""

    def make(path):
        with opened(path) as file:
            file.write(before)
            for _ in range(ZEROS // len(unit)):
                file.write(unit)

    return make


def line_without_end(before=b"", unit=b"a" * (1 << 20), size=1 << 30):
    def make(path):
        with path.open("wb") as file:
            file.write(before)
            for _ in range(size // len(unit)):
                file.write(unit)

    return make


NO_FILES = {
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a device without end": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to /etc/passwd": lambda path: path.symlink_to("/etc/passwd"),
    "an empty file": put(b""),
    "zeros": put(bytes(100_000)),
}
PAGE = b"<page><title>Ada</title><ns>0</ns><id>1</id><revision><id>2</id><text>Ada was born in 1815.</text></revision></page>"
DUMP = b"<mediawiki><siteinfo><dbname>enwiki</dbname></siteinfo>"
GAME = b'[Event "x"]\n[Date "1900.01.01"]\n[White "A"]\n[Black "B"]\n[Result "1-0"]\n\n1. e4 e5 2. Nf3 1-0\n'
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(12))
    + b"]>"
)
ENTITY = (
    b'{"type":"item","id":"Q1","claims":{"P569":[{"mainsnak":{"snaktype":"value","property":"P569","datavalue":{"value":'
    b'{"time":"+1815-12-10T00:00:00Z","precision":11,"calendarmodel":"http://www.wikidata.org/entity/Q1985727"},"type":'
    b'"time"}},"type":"statement","id":"Q1$a","rank":"normal"}]},"sitelinks":{"enwiki":{"site":"enwiki","title":"Ada"}}}'
)
LABELLED = b'{"page_id":1,"title":"Ada","class":"O","spans":[[0,4]],"labels":["C"]}\n'


def parquet(**how):
    """A Parquet file of articles; ``columns`` replaces some, ``write`` goes to its writer."""

    def make(path):
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {"page_id": [1], "title": ["Ada"], "text": ["Ada was born in 1815."]} | how.get("columns", {})
        columns = {name: values for name, values in columns.items() if values is not None}
        pq.write_table(pa.table(columns), path, **how.get("write", {}))
        if "cut" in how:
            data = path.read_bytes()
            path.write_bytes(how["cut"](data))

    return make


def one_cell(path):
    parquet(columns={"text": ["a " * (250 << 20)]})(path)


def dictionary_bomb(path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    count = 20_000
    text = pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array(["word " * 200_000]))
    titles = pa.array([f"A{n}" for n in range(count)])
    pq.write_table(pa.table({"page_id": list(range(count)), "title": titles, "text": text}), path)


def model_folder(change):
    """A tiny Llama's folder with one thing changed."""

    def make(path):
        shutil.copytree(tiny_model(), path)
        change(path)

    return make


TINY_MODEL = Path(tempfile.gettempdir()) / f"tiny-{os.getpid()}"


def tiny_model():
    """The folder of a tiny Llama, made once."""
    if not TINY_MODEL.exists():
        sys.path.insert(0, str(ROOT / "tests"))
        import tiny_llama

        tiny_llama.build_model(TINY_MODEL)
    return TINY_MODEL


def config(**values):
    def change(folder):
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return change


def weights(change):
    """The safetensors file of a folder, its header changed or its bytes."""

    def changed(folder):
        path = folder / "model.safetensors"
        data = path.read_bytes()
        length = struct.unpack("<Q", data[:8])[0]
        header, body = change(json.loads(data[8 : 8 + length]), data[8 + length :])
        if isinstance(header, dict):
            header = json.dumps(header).encode()
            header = struct.pack("<Q", len(header)) + header
        path.write_bytes(header + body)

    return changed


def overlap(header, body):
    names = [name for name in header if name != "__metadata__"]
    header[names[1]]["data_offsets"] = header[names[0]]["data_offsets"]
    return header, body


def changed(key, value):
    def change(header, body):
        name = next(name for name in header if name != "__metadata__")
        header[name][key] = value
        return header, body

    return change


def not_finite(folder):
    import torch
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    next(iter(tensors.values())).view(-1)[0] = torch.nan
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def without(name):
    def change(folder):
        from safetensors.torch import load_file, save_file

        tensors = {key: value for key, value in load_file(folder / "model.safetensors").items() if name not in key}
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})

    return change


def outside(folder):
    (folder / "model.safetensors").rename(folder.parent / "elsewhere.safetensors")
    index = {"metadata": {}, "weight_map": {"model.norm.weight": "../elsewhere.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def pickled(folder):
    import torch

    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")


def own_code(folder):
    config(model_type="odd", auto_map={"AutoModelForCausalLM": "odd.Odd", "AutoConfig": "odd.Config"})(folder)
    (folder / "odd.py").write_text("open('/tmp/ran', 'w')\n")


def in_folder(name, content):
    return lambda folder: (folder / name).write_bytes(content(folder / name) if callable(content) else content)


def tokenizer(**model):
    def change(folder):
        path = folder / "tokenizer.json"
        values = json.loads(path.read_text())
        values["model"] |= model
        path.write_text(json.dumps(values))

    return change


def template(text):
    return in_folder("chat_template.jinja", text.encode())


def gguf(*pairs, tensors=0, count=None, version=3, after=b""):
    def text(value):
        return struct.pack("<Q", len(value)) + value

    body = b"".join(text(key) + struct.pack("<I", kind) + value for key, kind, value in pairs)
    return put(b"GGUF" + struct.pack("<IQQ", version, tensors, len(pairs) if count is None else count) + body + after)


HUGE = 1 << 62
GGUF_FILES = {
    "truncated": put(b"GGUF\3\0\0"),
    "keys without end": gguf(count=HUGE),
    "tensors without end": gguf(tensors=HUGE),
    "a text of 2^60 bytes": gguf((b"a", 8, struct.pack("<Q", 1 << 60))),
    "an array of 2^62 texts": gguf((b"a", 9, struct.pack("<IQ", 8, HUGE))),
    "a tensor outside": gguf(tensors=1, after=struct.pack("<Q1sIQIQ", 1, b"t", 1, 4, 0, 1 << 40)),
    "alignment 0": gguf((b"general.alignment", 4, bytes(4))),
    "another byte order": gguf(version=3 << 24),
    "version 99": gguf(version=99),
    "nothing but a head": gguf(),
}
ROWS = {
    "half a line": lambda good: put(good + good[:20]),
    "a broken line": lambda good: put(good + b"{nonsense}\n" + good),
    "no object": lambda good: put(b"[]\n" + good),
    "numbers": lambda good: put(b"3\n"),
    "wrong types": lambda good: put(b'{"page_id":"x","hash":3,"label":[],"title":{},"reply":1,"task":0,"labels":3}\n'),
    "deep": lambda good: put(b"[" * 200_000 + b"\n"),
    "half a character": lambda good: put(good.replace(b"Ada", b"\\ud800").replace(b'"P"', b'"\\ud800"')),
    "not UTF-8": lambda good: put(good[:-2] + b"\xff}\n"),
    "a line of 1 GB": lambda good: line_without_end(good + b'{"a":"'),
}


def rows(good):
    return NO_FILES | {name: make(good) for name, make in ROWS.items()}


TOML = NO_FILES | {
    "deep": put(b"a = " + b"[" * 100_000),
    "deep keys": put(b"[" + b"a." * 100_000 + b"a]"),
    "a million digits": put(b"name = " + b"9" * 1_000_000),
    "keys twice": put(b'name = "a"\nname = "b"\n'),
    "not a number": put(b'name = "a"\nseed = nan\n'),
    "BOM and NUL": put(b'\xef\xbb\xbfname = "\0"\n'),
    "not UTF-8": put(b'name = "\xff"\n'),
    "1 GB": line_without_end(b'name = "'),
}
JSON = NO_FILES | {
    "deep": put(b"[" * 200_000),
    "no object": put(b"[1, 2]"),
    "a million digits": put(b'{"name": ' + b"9" * 1_000_000 + b"}"),
    "half a character": put(
        b'[{"index": "\\ud800", "type": "x", "questions": [["q in 1969", [{"answer": "\\ud800"}]]]}]'
    ),
    "wrong types": put(b'{"name": 3, "cutoff": [], "arms": {"filtered": 4}, "leaks": 3}'),
    "not UTF-8": put(b'{"name": "\xff"}'),
    "1 GB": line_without_end(b'{"name": "'),
}
TAUGHT = (
    b'{"task":"t","form":"summary","kind":"k","document":"d","start":0,"end":5,"digest":"x","title":"Ada","model":"m",'
    b'"outcome":"answered","turns":[],"lines":["a"]}\n'
)
DATED = b'{"article":"00000000000000ff","outcome":"failed","model":"m"}\n'
TINY = {
    "sizes beyond the file": weights(lambda header, body: (header, body[:-100])),
    "a header of 10 TB": weights(lambda header, body: (struct.pack("<Q", 10 << 40) + b"{}", body)),
    "a header that is no JSON": weights(lambda header, body: (struct.pack("<Q", 8) + b"nonsense", body)),
    "a deep header": weights(lambda header, body: (struct.pack("<Q", 90_000) + b"[" * 90_000, body)),
    "offsets that overlap": weights(overlap),
    "an unknown type": weights(changed("dtype", "F7")),
    "a huge shape": weights(changed("shape", [1 << 40, 1 << 40])),
    "weights that are no numbers": not_finite,
    "missing tensors": without("layers.0.mlp"),
    "other shapes than its config": config(hidden_size=32, intermediate_size=77),
    "10^12 layers": config(num_hidden_layers=10**12),
    "a million layers": config(num_hidden_layers=10**6),
    "a width of 10^12": config(hidden_size=10**12),
    "a vocabulary of 10^12": config(vocab_size=10**12),
    "negative sizes": config(num_hidden_layers=-1, hidden_size=-5),
    "texts for sizes": config(hidden_size="x", num_attention_heads="y"),
    "no heads": config(num_attention_heads=0),
    "an index that leads outside": outside,
    "pickled weights only": pickled,
    "code of its own": own_code,
    "a deep config": in_folder("config.json", b"[" * 200_000),
    "an empty config": in_folder("config.json", b""),
    "a tokenizer that is no JSON": in_folder("tokenizer.json", b"nonsense"),
    "a deep tokenizer": in_folder("tokenizer.json", b'{"model":' * 100_000),
    "a token of 300 MB": tokenizer(vocab={"a" * (300 << 20): 0}, merges=[]),
    "merges of unknown tokens": tokenizer(merges=[["ab", "cd"], ["x" * 99, "y"]]),
    "a vocabulary beyond the model's": tokenizer(vocab={chr(33 + n % 90) * (1 + n // 90): n for n in range(5000)}),
    "ids without end": tokenizer(vocab={"a": HUGE}, merges=[]),
    "a template that loops": template(
        "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}"
    ),
    "a template of 2^40 letters": template("{{ 'x' * 2 ** 40 }}"),
    "a template that reads attributes": template("{{ ''.__class__.__mro__[1].__subclasses__() }}"),
    "a template that is none": template("{% for %}"),
}


def program(*arguments):
    """A command of the program; ``{}`` is the case, ``{out}`` a folder that is not there yet."""
    return [sys.executable, "-m", "deepred", *arguments]


def reader(name):
    return [sys.executable, __file__, "--call", name, "{}"]


def folders(names):
    return {name: model_folder(TINY[name]) for name in names}


MODEL = [name for name in TINY if "template" not in name]
TOKENIZER = [name for name in TINY if "token" in name or "merges" in name or "vocabulary b" in name or "ids" in name]
QUESTIONS = b'[{"index":"1","type":"x","questions":[["Who in 1960?",[{"answer":"Ada"}]]]}]'
KINDS = {
    # kind: what reads, the name of the file, the good file, the hostile ones
    "run files (TOML)": (program("status", "{}", "--data", "{out}"), "run.toml", put(b'name = "a"\n'), TOML),
    "personas (TOML)": (reader("persona"), "p.toml", lambda p: shutil.copy(ROOT / "src/deepred/persona/deep-red.toml", p), TOML),
    "forms of questions (TOML)": (reader("forms"), "f.toml", lambda p: shutil.copy(ROOT / "src/deepred/evaluate/forms.toml", p), TOML),
    "reports (JSON)": (program("compare", "{}", "{}"), "report.json", put(b'{"name":"a","cutoff":"1969-07-20","arms":{}}'), JSON),
    "questions (JSON)": (reader("questions"), "q.json", put(QUESTIONS), JSON),
    "labelled paragraphs (JSONL)": (reader("labelled"), "l.jsonl", put(LABELLED), rows(LABELLED)),
    "label sheets (JSONL)": (reader("sheet"), "s.jsonl", put(b'{"hash":"ab","label":"P"}\n'), rows(b'{"hash":"ab","label":"P"}\n')),
    "labelled replies (JSONL)": (reader("replies"), "r.jsonl", lambda p: shutil.copy(ROOT / "src/deepred/evaluate/labelled.jsonl", p),
                                 rows(b'{"reply":"a","answer":"Ada","bucket":"leaked"}\n')),
    "a teacher's answers (JSONL)": (reader("taught"), "t.jsonl", put(TAUGHT), rows(TAUGHT)),
    "a model's dates (JSONL)": (reader("dated"), "d.jsonl", put(DATED), rows(DATED)),
    "GGUF, put up for a program": (program("install", "lmstudio", "{}", "--to", "{out}"), "m.gguf", gguf(), {
        name: make for name, make in (NO_FILES | GGUF_FILES).items() if name != "nothing but a head"}),
    "GGUF, to chat with": (program("chat", "{}", "--prompt", "hello"), "m.gguf", gguf(), NO_FILES | GGUF_FILES),
    "XML dumps": (program("extract", "{}", "--out", "{out}", "--workers", "1"), "d.xml.bz2",
                  put(bz2.compress(DUMP + PAGE + b"</mediawiki>")), NO_FILES | {
        "billion laughs": put(LAUGHS + DUMP + PAGE.replace(b"Ada was", b"&m;") + b"</mediawiki>"),
        "pages in pages": put(DUMP + b"<page>" * 100_000),
        "a comment without end": line_without_end(DUMP + b"<!--"),
        "one line of 1 GB": line_without_end(DUMP + b"<page><text>"),
        "a page of 200 MB": line_without_end(DUMP + b"<page><text>", b"{{[[" * (1 << 18), 200 << 20),
        "a bzip2 bomb": zeros(lambda p: bz2.open(p, "wb"), DUMP + PAGE),
        "a gzip bomb": zeros(lambda p: gzip.open(p, "wb", 1), DUMP + PAGE),
        "nested wikitext": put(DUMP + PAGE.replace(b"Ada was", b"{{a|[[b|{|" * 50_000) + b"</mediawiki>"),
    }),
    "Wikidata and YAGO": (reader("facts"), "w.json", put(ENTITY + b"\n"), NO_FILES | {
        "deep": put(b'{"id":"Q1","sitelinks":{"enwiki":' + b"[" * 200_000 + b"\n"),
        "a line of 1 GB": line_without_end(b'{"id":"Q1","claims":"'),
        "a gzip bomb": zeros(lambda p: gzip.open(p, "wb", 1), ENTITY + b"\n"),
        "a bzip2 bomb": zeros(lambda p: bz2.open(p, "wb"), ENTITY + b"\n"),
        "a document without end": line_without_end(b"{\n", b'"a": 1,\n' * (1 << 17)),
        "cut": put(ENTITY[:200]),
    }),
    "PGN": (reader("games"), "g.pgn", put(GAME), NO_FILES | {
        "one line of 1 GB": line_without_end(GAME + b"\n1. e4 ", b"e4 e5 9" * (1 << 17)),
        "a comment without end": line_without_end(GAME[:-4] + b"{", b"x\n" * (1 << 19), 300 << 20),
        "deep variations": put(GAME[:-4] + b"(" * 1_000_000),
        "digits": put(GAME[:-4] + b"9" * 1_000_000),
        "a gzip bomb": zeros(lambda p: gzip.open(p, "wb", 1), GAME),
    }),
    "books and catalogues": (reader("books"), "book.txt", put(b"Title: A\n\n" + b"It was a day. " * 2000), NO_FILES | {
        "one line of 1 GB": line_without_end(b"Title: A\n\n", b"It was a day. " * 70_000),
    }),
    "catalogues (RDF)": (reader("books"), "c.rdf", put(b"<a/>"), NO_FILES | {
        "billion laughs": put(LAUGHS + b"<a>&m;</a>"),
        "deep": put(b"<a>" * 1_000_000),
        "another encoding": put(b'<?xml version="1.0" encoding="qtf-8"?><a/>'),
        "outside entity": put(b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
        "1 GB": line_without_end(b"<a>"),
    }),
    "Parquet": (reader("articles"), "a.parquet", parquet(), NO_FILES | {
        "truncated": parquet(cut=lambda data: data[:-20]),
        "a footer beyond the file": parquet(cut=lambda data: data[:-8] + struct.pack("<I", 1 << 31) + b"PAR1"),
        "a footer of noise": parquet(cut=lambda data: data[:40] + bytes(len(data) - 48) + data[-8:]),
        "data of noise": parquet(cut=lambda data: data[:4] + b"\xff" * 60 + data[64:]),
        "no text": parquet(columns={"text": None}),
        "numbers for text": parquet(columns={"text": [5]}),
        "text for numbers": parquet(columns={"page_id": ["x"]}),
        "lists for text": parquet(columns={"text": [["a"]]}),
        "nothing for a title": parquet(columns={"title": [None], "page_id": [1]}),
        "no rows": parquet(columns={"page_id": [], "title": [], "text": []}),
        "one cell of 500 MB": one_cell,
        "a dictionary bomb (20 GB)": dictionary_bomb,
    }),
    "models to go on from": (reader("base"), "model", model_folder(lambda folder: None), folders(MODEL)),
    "models to export": (reader("for_export"), "model", model_folder(lambda folder: None), folders(TINY)),
    "tokenizers to adopt": (reader("adopted"), "model", model_folder(lambda folder: None), folders(TOKENIZER) | {
        "SentencePiece of noise": model_folder(lambda f: ((f / "tokenizer.json").unlink(),
                                                          (f / "tokenizer.model").write_bytes(b"\x0a\xff" * 5000))),
    }),
    "checkpoints of training": (reader("checkpoint"), "state", lambda p: p.mkdir(), {
        "no record": lambda p: (p / "00000001").mkdir(parents=True),
        "a deep record": lambda p: ((p / "00000001").mkdir(parents=True), (p / "00000001/checkpoint.json").write_bytes(b"[" * 200_000)),
        "a list for a record": lambda p: ((p / "00000001").mkdir(parents=True), (p / "00000001/state.safetensors").touch(),
                                          (p / "00000001/checkpoint.json").write_bytes(b"[]")),
    }),
}  # fmt: skip


def run(command, folder, limit):
    """A command in a session of its own: status, seconds, largest memory in bytes, what it said."""
    began, most = time.monotonic(), 0
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            command, stdout=said, stderr=said, stdin=subprocess.DEVNULL, cwd=folder, start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1", "COLUMNS": "300"},
        )  # fmt: skip
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            most = max(most, usage.ru_maxrss * 1024)
            process.returncode = os.waitstatus_to_exitcode(status)
            break
        most = max(most, _resident(process.pid))
        if time.monotonic() - began > SECONDS or most > limit + 2 * MORE:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.1)
    text = (folder / "said").read_bytes()[-20_000:].decode("utf-8", "replace")
    return process.returncode, time.monotonic() - began, most, text


def _resident(pid):
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def judge(case, good, names):
    """What is wrong with how a case ended."""
    status, seconds, most, text = case
    wrong = []
    if "Traceback (most recent" in text or "fault: " in text:
        wrong.append("traceback")
    if most > good + MORE:
        wrong.append("memory")
    if seconds > SECONDS:
        wrong.append("time")
    if status == 0:
        wrong.append("accepted")
    elif status < 0 and not {"memory", "time"} & set(wrong):
        wrong.append("crash")
    elif not any(name in text for name in names):
        wrong.append("unnamed")
    return wrong


def try_case(command, name, make, keep):
    """Make a file in a folder of its own and read it; what lies beside it afterwards, too."""
    base = Path(tempfile.mkdtemp(prefix="hostile-"))
    folder = base / "case"
    folder.mkdir()
    path = folder / name
    try:
        (folder / "good.txt").write_text("Title: A\n\n" + "It was a day. " * 2000)
        _apart(make, path)
        filled = [part.replace("{out}", str(folder / "out")).replace("{}", str(path)) for part in command]
        ended = run(filled, folder, limit=try_case.good or 2 * MORE)
        return ended, sorted(entry.name for entry in base.iterdir() if entry.name != "case")
    finally:
        if not keep:
            shutil.rmtree(base, ignore_errors=True)


try_case.good = 0


def _apart(make, path):
    """Make a file in a process of its own: what a process has held counts for those that it starts."""
    made = os.fork()
    if not made:
        try:
            make(path)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    if os.waitpid(made, 0)[1]:
        sys.exit(f"{path} could not be made")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="only these; repeatable")
    parser.add_argument("--keep", action="store_true", help="leave the files where they are")
    parser.add_argument("--call", nargs=2, metavar=("READER", "PATH"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.call:
        call(options.call[0], Path(options.call[1]))
        return
    table = []
    for kind in options.kind or KINDS:
        command, name, good, cases = KINDS[kind]
        try_case.good = 0
        (status, seconds, most, _), _ = try_case(command, name, good, options.keep)
        try_case.good = most
        print(f"{kind}: the good one ends with {status} in {seconds:.0f} s and {most >> 20} MiB", flush=True)
        failed = {}
        for title, make in cases.items():
            ended, beside = try_case(command, name, make, options.keep)
            wrong = judge(ended, most, (name, "good.txt")) + (["outside"] if beside else [])
            if wrong:
                failed[title] = wrong
                last = " / ".join(ended[3].strip().splitlines()[-2:])[-300:]
                print(f"  {title}: {', '.join(wrong)}; {ended[1]:.0f} s, {ended[2] >> 20} MiB: {last}", flush=True)
        count = {what: sum(what in wrong for wrong in failed.values()) for what in ("traceback", "memory", "time")}
        refused = len(cases) - len(failed)
        table.append(
            f"| {kind} | {len(cases)} | {refused} | {count['traceback']} | {count['memory']} | {count['time']} |"
        )
    print(
        "\n| kind of file | cases | refused or counted | tracebacks | over memory | over time |\n|---|---|---|---|---|---|"
    )
    print("\n".join(table))


if __name__ == "__main__":
    main()
