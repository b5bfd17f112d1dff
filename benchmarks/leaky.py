"""A leak on purpose, found: a share of the late sentences is put back, and the documents that hold them are named.

    python benchmarks/leaky.py runs/demo.toml [--leak 0.01] [--set world.facts=6]

Builds a generated world's corpus twice, filtered and with ``passages.leak`` of the dropped sentences kept, and compares
what the text scan of the report says of each: later facts that the training text states, and the documents that are
named. Recall is the share of the put-back sentences which state a probed fact whose article is named; precision the
share of the named sentences that were put back, or that the filter had kept already. No model is trained: at one
statement a fact a leak of 1% is below what likelihood shows (see the doses in docs/evaluation.md).
"""

import argparse
from pathlib import Path

from deepred.base.tables import read_rows
from deepred.corpus.probes.exposures import Exposures, family_names
from deepred.evaluate.choices import read_families
from deepred.evaluate.trace.trace import exposure_by_era, trace_families
from deepred.pipeline import STAGES
from deepred.run.build import execute
from deepred.run.config import load_run
from deepred.run.runner import Pipeline, read_manifest
from deepred.run.settings import Settings
from deepred.run.stage import Silent


def build(run_file: Path, overrides: list[str]) -> Pipeline:
    line = Pipeline(load_run(run_file, [*overrides, 'arms=["filtered"]']), STAGES, Settings.from_environment())
    execute(line, Silent(), only_for=["mixture"])
    return line


def stated(line: Pipeline, families: list[dict]) -> set[tuple[str, str]]:
    """(document, family) of every sentence of the kept text that states one of the families."""
    wanted = Exposures(family_names(families))
    rows = read_rows(line.folder(line.node("passages")), "passages-*.parquet", ["page_id", "text"])
    return {(f"wikipedia:{row['page_id']}", family) for row in rows for family in wanted.of(row["text"])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--leak", type=float, default=0.01)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args()
    clean = build(options.run, options.overrides)
    leaky = build(options.run, [*options.overrides, f"passages.leak={options.leak}"])
    families = [one for one in read_families(leaky.folder(leaky.node("probes"))) if one["era"] == "after"]
    for name, line in (("filtered", clean), ("leaky", leaky)):
        seen = exposure_by_era(line.folder(line.node("mixture")), families)["after"]
        print(
            f"{name:<9} later facts stated: {seen['stated']} of {seen['families']}, in {seen['statements']} sentences"
        )
    counts = read_manifest(leaky.folder(leaky.node("passages")))["counts"]
    before, after = stated(clean, families), stated(leaky, families)
    planted = after - before
    traces = trace_families(leaky.folder(leaky.node("mixture")), families)
    named = {(one.document, family) for family, found in traces.items() for one in found}
    print(
        f"put back  {counts['numbers'].get('put back', 0)} sentences; they state later facts in {len(planted)} places"
    )
    print(f"recall    {len(planted & named)} of {len(planted)} places named (three a fact at most)")
    print(f"precision {len(named & after)} of {len(named)} named places hold such a sentence")


if __name__ == "__main__":
    main()
