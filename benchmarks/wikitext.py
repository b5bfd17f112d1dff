"""The same articles through our scanner and its peers: CPU time, residual markup, as a table and as JSON.

    python benchmarks/wikitext.py --peers FOLDER [--rounds 3] [--share 4] [--json FILE]

``benchmarks/peers.sh FOLDER`` makes the peers' environments. The runs are interleaved, each in a process of its own,
and the fastest round of each counts, so that what else the machine does falls on all of them alike. Ours emits links,
sections, categories and infobox dates as well; the peers emit text only. Read ratios, not absolute numbers.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from deepred.sources.dump import DamageError, iterate_pages, read_site
from deepred.sources.prefixes import Prefixes

MARKUP = re.compile(
    r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}|</?ref|'''|&nbsp;|style ?=|\bthumb\||<!--|</?(?:div|span|br|small|sup|sub)\b|^\|-",
    re.MULTILINE,
)
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
from deepred.sources.prefixes import Prefixes
from deepred.sources.wikitext import parse
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


def read_articles(samples: Path, share: int) -> list[str]:
    """Every ``share``-th article of the sample dumps and wikitext files."""
    found: list[str] = []
    for path in sorted((samples / "wikipedia").iterdir()):
        try:
            prefixes = Prefixes.of("en", read_site(path).namespaces)
            for _, page in iterate_pages(path, 0, 1 << 62):
                text = getattr(page, "text", "")
                if text and not getattr(page, "namespace", 1) and prefixes.redirect_target(text) is None:
                    found.append(text)
        except DamageError:
            continue
    found += [path.read_text(encoding="utf-8") for path in sorted((samples / "wikitext").glob("*.txt"))]
    return found[::share]


def measure(python: Path, name: str, articles: Path) -> dict[str, float]:
    """CPU seconds and residual marks of one parser in one process."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        code = FRAME.format(setup=PARSERS[name])
        subprocess.run([str(python), "-c", code, str(articles), str(result)], check=True, stderr=subprocess.DEVNULL)
        values = json.loads(result.read_text(encoding="utf-8"))
    marks = [len(MARKUP.findall(text)) for text in values["texts"]]
    return {
        "seconds": values["seconds"],
        "marks_per_1000": 1000 * sum(marks) / len(marks),
        "clean": sum(not count for count in marks) / len(marks),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, required=True, help="folder that peers.sh made")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=int, default=4, help="take every n-th article")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    pythons = {name: options.peers / name / "bin" / "python" for name in PARSERS}
    pythons["deepred"] = Path(sys.executable)
    names = [name for name, python in pythons.items() if python.exists()]
    articles = read_articles(Path(os.environ["DEEPRED_SAMPLES"]), options.share)
    megabytes = sum(len(text.encode()) for text in articles) / 1e6
    best: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "articles.json"
        path.write_text(json.dumps(articles), encoding="utf-8")
        for _ in range(options.rounds):
            for name in names:
                run = measure(pythons[name], name, path)
                if name not in best or run["seconds"] < best[name]["seconds"]:
                    best[name] = run
    ours = best["deepred"]["seconds"]
    print(f"{len(articles)} articles, {megabytes:.1f} MB of wikitext, fastest of {options.rounds} rounds, CPU time")
    print(f"{'parser':18}{'MB/s':>8}{'we are x':>10}{'marks/1000':>12}{'clean':>8}")
    for name, run in best.items():
        ratio = run["seconds"] / ours
        speed = megabytes / run["seconds"]
        print(f"{name:18}{speed:8.2f}{ratio:10.1f}{run['marks_per_1000']:12.0f}{run['clean']:8.1%}")
    if options.json:
        options.json.write_text(json.dumps({"megabytes": megabytes, "parsers": best}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
