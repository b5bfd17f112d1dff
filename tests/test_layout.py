"""Rules of the layout that the import linter does not know."""

from graphlib import TopologicalSorter

import grimp

from deepred.pipeline import STAGES


def test_every_stage_lives_in_a_file_of_its_name():
    modules = {stage.name: stage.function.partition(":")[0].rpartition(".")[2] for stage in STAGES}
    assert {stage: module for stage, module in modules.items() if module != stage} == {}


def test_no_import_closes_a_circle_not_even_one_within_a_function():
    graph = grimp.build_graph("deepred", cache_dir=None)
    TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules}).prepare()
