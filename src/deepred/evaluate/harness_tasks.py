"""Probes as tasks of lm-evaluation-harness: YAML and JSONL, so that any model it runs can be asked the same questions.

In: probe families. Out: a folder with ``before.jsonl`` and ``after.jsonl`` (one item a line), a task for each and a
group of both. The harness scores ``log P(option | prompt)`` without a neutral prompt: its ``acc`` is our ``plain``
score, not the one that reports state. Format: docs/new_task_guide.md of github.com/EleutherAI/lm-evaluation-harness.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from deepred.base.files import write_text
from deepred.evaluate.choices import ERAS, pair_of
from deepred.run.stage import Counts

VERSION = 1
"""Version of the tasks; raised when a prompt or an option is written otherwise."""

TASK = """# Facts first knowable {era} {cutoff}, from the probe list {digest}.
# Run: cd here && lm_eval --model hf --model_args pretrained=MODEL --tasks {group} --include_path . --num_fewshot 0
task: {group}_{era}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {era}.jsonl
output_type: multiple_choice
test_split: test
doc_to_text: "{{{{query}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{gold}}}}"
target_delimiter: " "
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
  - metric: acc_norm
    aggregation: mean
    higher_is_better: true
metadata:
  version: {version}
"""


def export_tasks(
    families: Sequence[dict[str, Any]], out: Path, name: str, cutoff: str, digest: str, prefix: str = ""
) -> Counts:
    """Write the tasks; ``prefix`` stands before every prompt (a model's first token, where its tokenizer adds none)."""
    counts = Counts()
    group = "deepred_" + re.sub(r"\W+", "_", name).lower()
    out.mkdir(parents=True, exist_ok=True)
    present = [era for era in ERAS if any(family["era"] == era for family in families)]
    for era in present:
        rows = list(task_rows([family for family in families if family["era"] == era], prefix))
        write_text(out / f"{era}.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        values = {"era": era, "cutoff": cutoff, "digest": digest, "group": group, "version": VERSION}
        write_text(out / f"{group}_{era}.yaml", TASK.format(**values))
        counts.add(f"items_{era}", len(rows))
    tasks = "".join(f"  - {group}_{era}\n" for era in present)
    write_text(out / f"{group}.yaml", f"group: {group}\ntask:\n{tasks}metadata:\n  version: {VERSION}\n")
    counts.notes["group"] = group
    return counts


def task_rows(families: Sequence[dict[str, Any]], prefix: str) -> Iterator[dict[str, Any]]:
    """One row an item, with what it belongs to."""
    for family in families:
        for number, item in enumerate(family["items"]):
            yield {
                "id": f"{family['family']}#{number}",
                **{key: family[key] for key in ("family", "kind", "known", "relation")},
                "query": prefix + pair_of(item["prompt"], "")[0],
                "choices": [pair_of(item["prompt"], option)[1].removeprefix(" ") for option in item["options"]],
                "gold": item["answer"],
            }
