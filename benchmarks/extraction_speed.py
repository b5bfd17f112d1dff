"""The CPU time of an extraction from bz2 to Parquet against that of decoding the same file, and a worker's memory.

Every measurement is a process of its own on one core; ``extraction.py speed`` runs this. The line against rapidgzip
needs ``pip install rapidgzip``.
"""

import bz2
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

STEPS = {
    "Python's bz2": "import bz2\nwith bz2.open(path) as file:\n    while file.read(1 << 20):\n        pass",
    "rapidgzip, one thread": "import rapidgzip\nfile = rapidgzip.IndexedBzip2File(str(path), parallelization=1)\n"
    "while file.read(1 << 20):\n    pass",
    "our decoding": "from deepred.sources.wiki.dump import iterate_pieces\nfor _ in iterate_pieces(path, 0):\n    pass",
    "decode and split": "from deepred.sources.wiki.dump import iterate_pages\n"
    "for _ in iterate_pages(path, 0, 1 << 62):\n    pass",
    "end to end": "extract(path, Path(folder))",
}
FRAME = """
import json, resource, sys, tempfile, time
from pathlib import Path
import pyarrow.parquet
from deepred.sources.wiki.articles import extract
path = Path(sys.argv[1])
small = Path(sys.argv[2])
with tempfile.TemporaryDirectory() as folder:
    extract(small, Path(folder))  # imports and tables are no part of the rate
with tempfile.TemporaryDirectory() as folder:
    began = time.process_time()
{code}
    seconds = time.process_time() - began
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000]))
"""
SMALL = """<mediawiki><siteinfo><dbname>enwiki</dbname></siteinfo><page><title>A</title><ns>0</ns><id>1</id><revision>
<id>1</id><text>A [[b]] {{convert|1|km}}.</text></revision></page></mediawiki>"""


PAGE_ID = re.compile(rb"(<page>\s*<title>[^<]*</title>\s*(?:<ns>[^<]*</ns>\s*)?<id>)")


def renumbered(dump, copy):
    """A bz2 dump whose pages have other numbers than those of its other copies, which would be taken out."""
    return bz2.compress(PAGE_ID.sub(rb"\g<1>%d" % (copy + 1), bz2.decompress(dump.read_bytes())))


def measure_speed(dump, rounds, repeat):
    """End to end (decode, split, scan, Parquet) against decoding alone, interleaved; the fastest round counts."""
    best = {}
    with tempfile.TemporaryDirectory() as folder:
        path, small = Path(folder) / "dump.xml.bz2", Path(folder) / "small.xml"
        path.write_bytes(b"".join(renumbered(dump, copy) for copy in range(repeat)))  # streams in a row
        small.write_text(SMALL, encoding="utf-8")
        with bz2.open(path) as file:
            megabytes = sum(len(piece) for piece in iter(lambda: file.read(1 << 20), b"")) / 1e6
        for _ in range(rounds):
            for name, code in STEPS.items():
                program = FRAME.format(code="\n".join("    " + line for line in code.split("\n")))
                command = [sys.executable, "-c", program, str(path), str(small)]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    print(f"{name}: {done.stderr.strip().splitlines()[-1]}")
                    continue
                seconds, memory = json.loads(done.stdout)
                best[name] = min(best.get(name, (1e9, 0)), (seconds, memory))
    whole = best["end to end"][0]
    return {
        "dump": f"{dump.name} x {repeat}",
        "MB of XML": megabytes,
        "times the CPU of decoding alone": whole / best["Python's bz2"][0],
        "times the CPU of rapidgzip": whole / best["rapidgzip, one thread"][0] if len(best) == len(STEPS) else None,
        "MB of XML per second and core": megabytes / whole,
        "MB at the peak of a worker": best["end to end"][1],
        "CPU seconds": {name: round(seconds, 3) for name, (seconds, _) in best.items()},
    }
