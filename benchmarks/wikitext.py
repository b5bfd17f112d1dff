"""The same articles through our scanner and its peers: CPU time, residual markup, as a table and as JSON.

    python benchmarks/wikitext.py [PATH ...] [--peers FOLDER] [--rounds 3] [--share 12] [--json FILE]

``make bench-peers`` makes the peers' environments (``peers.sh``) and runs this. The runs are interleaved, each in a
process of its own; the ratio is the median over the rounds of the times within one round, so that what else the machine
does falls on all of them alike. Ours emits links, sections, categories and infobox dates as well; the peers emit text
only, without templates expanded. Read ratios, not absolute numbers.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from articles import read_articles
from extraction import KINDS, NAMED

FRAME = """
import json, sys, time
articles = json.load(open(sys.argv[1], encoding="utf-8"))
{setup}
for article in articles[:3]:
    convert(article)
start = time.process_time()
texts = [convert(article) for article in articles]
seconds = time.process_time() - start
json.dump({{"seconds": seconds, "texts": texts}}, open(sys.argv[2], "w", encoding="utf-8"))
"""
PARSERS = {
    "deepred": """
from deepred.sources.wiki.prefixes import Prefixes
from deepred.sources.wiki.wikitext import parse
prefixes = Prefixes.of("en")
convert = lambda text: parse(text, prefixes).text
""",
    "mwparserfromhell": """
import mwparserfromhell
convert = lambda text: str(mwparserfromhell.parse(text).strip_code())
""",
    "wikiextractor": """
import logging
from wikiextractor.extract import Extractor
logging.disable(logging.CRITICAL)
convert = lambda text: "\\n".join(Extractor("1", "1", "", "Title", text).clean_text(text, expand_templates=False))
""",
    "wikitextparser": """
import wikitextparser
convert = lambda text: wikitextparser.parse(text).plain_text()
""",
    "gensim": """
from gensim.corpora.wikicorpus import filter_wiki
convert = filter_wiki
""",
}


def measure(python: Path, name: str, articles: Path) -> dict[str, float]:
    """CPU seconds of one parser over all articles in one process, and the marks that it left."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        code = FRAME.format(setup=PARSERS[name])
        subprocess.run([str(python), "-c", code, str(articles), str(result)], check=True, stderr=subprocess.DEVNULL)
        values = json.loads(result.read_text(encoding="utf-8"))
    marks = [sum(len(KINDS[kind].findall(text)) for kind in NAMED) for text in values["texts"]]
    return {
        "seconds": values["seconds"],
        "marks_per_1000": 1000 * sum(marks) / len(marks),
        "clean": sum(not count for count in marks) / len(marks),
    }


def compare(pythons: dict[str, Path], articles: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """Each parser's fastest round, and the median over the rounds of its time against ours in the same round."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in pythons}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "articles.json"
        path.write_text(json.dumps(articles), encoding="utf-8")
        for _ in range(rounds):
            for name, python in pythons.items():
                runs[name].append(measure(python, name, path))
    ours = [run["seconds"] for run in runs["deepred"]]
    return {
        name: min(found, key=lambda run: run["seconds"])
        | {"ratio": statistics.median(run["seconds"] / own for run, own in zip(found, ours))}
        for name, found in runs.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="dumps, wikitext files or folders of them")
    parser.add_argument("--peers", type=Path, default=Path(".peers"), help="folder that peers.sh made (.peers)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=int, default=12, help="take every n-th article")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    samples = os.environ.get("DEEPRED_SAMPLES")
    if not options.paths and not samples:
        parser.error("name dumps or files of wikitext, or set DEEPRED_SAMPLES")
    paths = options.paths or [Path(samples or "") / "wikipedia", Path(samples or "") / "wikitext"]
    pythons = {name: options.peers / name / "bin" / "python" for name in PARSERS}
    pythons["deepred"] = Path(sys.executable)
    for name in [name for name, python in pythons.items() if not python.exists()]:
        print(f"{name}: no environment in {options.peers} (benchmarks/peers.sh {options.peers} makes it)")
        del pythons[name]
    articles = [article.text for article in read_articles(paths)][:: options.share]
    megabytes = sum(len(text.encode()) for text in articles) / 1e6
    found = compare(pythons, articles, options.rounds)
    print(f"{len(articles)} articles, {megabytes:.1f} MB of wikitext, {options.rounds} interleaved rounds, CPU time")
    print(f"{'parser':18}{'MB/s':>8}{'we are x':>10}{'marks/1000':>12}{'clean':>8}")
    for name, run in found.items():
        speed = megabytes / run["seconds"]
        print(f"{name:18}{speed:8.2f}{run['ratio']:10.1f}{run['marks_per_1000']:12.0f}{run['clean']:8.1%}")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"megabytes": megabytes, "parsers": found}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
