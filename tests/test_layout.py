"""Rules of the layout that the import linter does not know."""

from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

import deepred
from deepred.pipeline import STAGES

PACKAGE = Path(str(deepred.__file__)).parent
FILES = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]
MAY_BE_LONG = {"wikitext.py", "templates.py"}
"""The wikitext scanner is one pass over one state, its templates are one table of rules with the functions they name:
parted, neither half could be read alone."""
MOST_LINES = 350


def test_every_stage_lives_in_a_file_of_its_name():
    modules = {stage.name: stage.function.partition(":")[0].rpartition(".")[2] for stage in STAGES}
    assert {stage: module for stage, module in modules.items() if module != stage} == {}


def test_the_top_of_the_package_is_read_at_a_glance():
    entries = [path for path in PACKAGE.iterdir() if path.name not in ("__pycache__", "py.typed")]
    assert len([path for path in entries if path.is_dir()]) <= 14
    assert {path.name for path in entries if path.is_file()} == {
        "__init__.py", "__main__.py", "doctor.py", "pipeline.py",
    }  # fmt: skip


def test_no_file_name_stands_twice():
    assert {name for name, count in Counter(path.name for path in FILES).items() if count > 1} == set()


def test_no_file_is_long():
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {name for name, count in lines.items() if count > MOST_LINES} == MAY_BE_LONG


def test_no_import_closes_a_circle_not_even_one_within_a_function():
    graph = grimp.build_graph("deepred", cache_dir=None)
    TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules}).prepare()
