"""Examples a second of the built-in teacher, the sentence filter included: `python benchmarks/examples.py RUN.toml`.

The run must be built up to `tokenizer`. Times the stage `examples` alone, in this process, without any answers.
"""

import sys
import tempfile
import time
from pathlib import Path

from deepred.base.days import from_date
from deepred.cli.options import open_pipeline
from deepred.persona.examples import make_examples
from deepred.run.stage import Work

run_file, overrides = Path(sys.argv[1]), sys.argv[2:]
pipeline = open_pipeline(run_file, [*overrides, "examples.answers=[]"], None)
node = pipeline.node("examples")
folders = {name: pipeline.folder(need) if need else None for name, need in node.needs.items()}
with tempfile.TemporaryDirectory() as out:
    wall, cpu = time.perf_counter(), time.process_time()
    counts = make_examples(
        **folders, config=pipeline.run.examples, sources=pipeline.sources(node), cutoff=from_date(pipeline.run.cutoff),
        straddling=pipeline.run.straddling, seed=pipeline.run.seed, out=Path(out), work=Work(pipeline.settings),
    )  # fmt: skip
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
made, screened = counts.numbers["documents"], counts.numbers["candidates"]
print(f"{made:,} examples of {screened:,} screened in {wall:.1f} s ({cpu:.1f} s of processor)")
print(f"{made / wall:,.0f} a second, {made / cpu:,.0f} a processor second")
print("dropped:", ", ".join(f"{reason} {count:,}" for reason, count in counts.drops.most_common()))
