"""Stage ``relearn``: how many steps of fine-tuning an arm needs until it recalls later facts; suppressed or absent?

In: an arm's model and later facts. Out: ``relearning.json``: for every fact the steps of full fine-tuning on all of
them until it is recalled, in the wording that was not trained. What was only suppressed should come back sooner than in
the floor arm, which never saw the facts: the report compares the two in pairs (``comparisons``). A fact is recalled
when its answer stands first among the answers of its relation in two checks one after the other.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepred.base.files import write_text
from deepred.evaluate.chat_questions import choose_families
from deepred.evaluate.choices import TIE, read_families
from deepred.evaluate.model_scores import ModelScorer, padded
from deepred.evaluate.statistics import Resampling, mean_over_families, paired_gain
from deepred.run.config import Relearn
from deepred.run.stage import Counts, Work
from deepred.train.device import set_threads

RESULTS = "relearning.json"
RIVALS = 16
"""Answers of its relation among which a fact's answer must stand first: by chance one in sixteen."""
IN_A_ROW = 2


def relearn_facts(*, pretrain: Path, probes: Path, config: Relearn, seed: int, out: Path, work: Work) -> Counts:
    """Fine-tune a copy of the arm's model on later facts and write when each was recalled."""
    import torch

    set_threads(work.settings.threads)
    torch.manual_seed(seed)
    families = read_families(probes)
    chosen = choose_families(families, "after", config.facts, seed)
    steps: dict[str, int | None] = {}
    counts = Counts()
    if chosen:
        scorer = ModelScorer.load(pretrain / "model", work.settings.device)
        steps = recall_steps(scorer, chosen, rivals(families), config, counts, work)
    values = [float(config.steps if step is None else step) for step in steps.values()]
    how = Resampling(config.bootstrap, config.confidence, seed)
    results = {
        "steps": steps,
        "most": config.steps,
        "learning_rate": config.learning_rate,
        "mean": mean_over_families(values, how).to_json("steps"),
        "resampling": {"resamples": config.bootstrap, "confidence": config.confidence, "seed": seed},
    }
    write_text(out / RESULTS, json.dumps(results, indent=1) + "\n")
    counts.add("facts", len(steps))
    counts.add("recalled", sum(step is not None for step in steps.values()))
    return counts


def rivals(families: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Distinct answers of each relation after the cutoff, in the order of their families."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for one in families:
        if one["era"] == "after":
            found[one["relation"]].setdefault(one["answer_text"])
    return {relation: list(names) for relation, names in found.items()}


def recall_steps(
    scorer: ModelScorer,
    families: Sequence[Mapping[str, Any]],
    pool: Mapping[str, Sequence[str]],
    config: Relearn,
    counts: Counts,
    work: Work,
) -> dict[str, int | None]:
    """The step at which each fact was recalled, by family; None where it never was. One step trains on all facts."""
    import torch

    model, weights = scorer.model, [parameter for parameter in scorer.model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=config.learning_rate, weight_decay=0.0)
    texts = [f"{one['items'][0]['prompt']} {one['answer_text']}." for one in families]
    batch = [scorer.encode("", text) for text in texts]
    since: dict[str, int] = {}
    done: dict[str, int | None] = {one["family"]: None for one in families}
    for step in range(config.steps + 1):
        if step % config.check == 0:
            note_recalled(recalled(scorer, families, pool), step, since, done, config.check)
            work.report(counts, step, config.steps, f"{sum(found is not None for found in done.values())} recalled")
            if all(found is not None for found in done.values()):
                break
        if step < config.steps:
            train_step(model, optimizer, batch, scorer.device)
    return done


def note_recalled(
    now: Mapping[str, bool], step: int, since: dict[str, int], done: dict[str, int | None], check: int
) -> None:
    """Note when a fact has been recalled ``IN_A_ROW`` times; the step of the first of them counts."""
    for family, is_recalled in now.items():
        if done[family] is not None:
            continue
        if not is_recalled:
            since.pop(family, None)
        elif step - since.setdefault(family, step) >= (IN_A_ROW - 1) * check:
            done[family] = since[family]


def recalled(scorer: Any, families: Sequence[Mapping[str, Any]], pool: Mapping[str, Sequence[str]]) -> dict[str, bool]:
    """Whether each fact's answer is the likeliest of its relation after the wording that is not trained on."""
    asked: list[tuple[str, str]] = []
    for one in families:
        item = one["items"][-1]
        asked += [(item[key], f" {name}") for name in candidates(one, pool) for key in ("prompt", "neutral")]
    pairs = list(dict.fromkeys(asked))
    known = dict(zip(pairs, scorer(pairs)))
    found: dict[str, bool] = {}
    for one in families:
        item = one["items"][-1]
        names = candidates(one, pool)
        gains = [known[item["prompt"], f" {name}"] - known[item["neutral"], f" {name}"] for name in names]
        found[one["family"]] = gains[0] > max(gains[1:], default=float("-inf")) + TIE
    return found


def candidates(family: Mapping[str, Any], pool: Mapping[str, Sequence[str]]) -> list[str]:
    """The fact's answer and others of its relation."""
    answer = family["answer_text"]
    return [answer, *[name for name in pool[family["relation"]] if name != answer][: RIVALS - 1]]


def train_step(model: Any, optimizer: Any, batch: Sequence[Any], device: str) -> None:
    """One step on all texts; padding predicts nothing."""
    import torch
    from torch.nn import functional

    ids, mask = padded(batch)
    labels = ids.masked_fill(mask == 0, -100)
    model.train()
    logits = model(input_ids=ids.to(device), attention_mask=mask.to(device), use_cache=False).logits
    loss = functional.cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten().to(device))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    model.eval()


def comparisons(outputs: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """Every arm's steps against the floor's, paired by fact, with the verdict; empty without a floor."""
    found = {
        name.partition("@")[2] or "filtered": json.loads((folder / RESULTS).read_text(encoding="utf-8"))
        for name, folder in outputs.items()
        if name.partition("@")[0] == "relearn"
    }
    floor = found.pop("floor", None)
    return {arm: compare(one, floor) for arm, one in found.items()} if floor else {}


def compare(arm: Mapping[str, Any], floor: Mapping[str, Any]) -> dict[str, Any]:
    """The floor's steps minus the arm's: above zero the arm relearns sooner."""
    own, below = (
        {family: float(one["most"] if step is None else step) for family, step in one["steps"].items()}
        for one in (arm, floor)
    )
    saved = paired_gain(below, own, Resampling(**arm["resampling"])).to_json("saved")
    found = verdict_of(saved)
    if found["verdict"] == "suppressed" and sum(step == 0 for step in own.values()) > len(own) / 2:
        found["verdict"] = "known"  # it recalls them before it is taught anything
    return {**saved, **found}


def verdict_of(saved: Mapping[str, Any]) -> dict[str, str]:
    """*Suppressed* only where the interval lies above zero; else what would have been missed is said."""
    if saved["saved"] is None:
        return {"verdict": "not decided", "said": str(saved["reason"])}
    steps = f"{saved['saved']:+.1f} [{saved['low']:+.1f}, {saved['high']:+.1f}] steps sooner than the floor"
    missed = f"a difference below {saved['detectable']:.1f} steps would probably have gone unseen"
    if saved["low"] > 0:
        return {"verdict": "suppressed", "said": steps}
    if saved["high"] < 0:
        return {"verdict": "not decided", "said": f"{steps}: later than the floor, which shows no suppressed knowledge"}
    return {"verdict": "not told from absent", "said": f"{steps}; {missed}"}
