"""Pre-training: from tokens to a model, in steps that are functions of their number alone.

In: token files, the tokenizer, the model's shape or its base. Out: ``model/`` (loads with ``AutoModelForCausalLM``),
``curves.jsonl`` and ``.csv`` (loss by step, validation by source, no clock in it), ``state/`` (the last checkpoint,
from which training can go on), ``snapshots/`` where wished, and ``logs/``. A run that is killed at any moment and
started again ends in the same bytes, on the same device and number of threads; on another number of ranks or with
another micro-batch in the same losses to rounding.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepred.base.errors import FaultError, UserError
from deepred.corpus.tokenizer import load_encoder
from deepred.run.config import Pretrain
from deepred.run.runner import how_keys
from deepred.run.stage import Counts, Work
from deepred.train import launch
from deepred.train.checkpoint import (
    MODEL,
    Interruption,
    Loaded,
    differences,
    load_checkpoint,
    load_latest,
    noticed_signals,
    raise_again,
    restore,
    save_checkpoint,
    tensors_of,
)
from deepred.train.curves import Curves, read_curves, write_csv
from deepred.train.device import available_memory, choose_device, is_out_of_memory
from deepred.train.memory import suggest_micro_batch
from deepred.train.model import save_model
from deepred.train.ranks import joined, whole_of
from deepred.train.step import Training, prepare, require_even, train_step
from deepred.train.validation import validate, write_samples
from deepred.train.watch import Live

CHECKPOINTS, STATE = "checkpoints", "state"
LOG_STEPS = 10
"""Steps between two looks at the losses: each look waits for the device."""
RESUMES = {"resume", "resume_corpus"}
"""Keys that say where to begin; a checkpoint does not remember them."""


def pretrain(
    *, shards: Path, tokenizer: Path, config: Pretrain, seed: int, out: Path, work: Work, start: Path | None = None
) -> Counts:
    """The trained model in ``out``; counts hold steps, tokens and parameters, notes the last losses.

    ``start`` is the finished folder of another pre-training, whose model's weights this one begins with, in place of
    the configured base or of new weights; optimizer and schedule begin anew.
    """
    seed = seed if config.seed is None else config.seed
    if launch.is_wanted(work.settings):
        require_even(config, work.settings.ranks)
        return launch.train_on_ranks(
            pretrain,
            {"shards": shards, "tokenizer": tokenizer, "config": config, "seed": seed, "out": out, "start": start},
            work,
        )
    device = choose_device(work.settings.device)
    with joined(device) as ranks, memory_explained(config, tokenizer, device):
        training = prepare(shards, tokenizer, config, seed, work, device, ranks, start)
        run = Run(training, out, work, Counts())
        run.go()
        return run.counts


@dataclass
class Run:
    """A training on its way through its steps, with the folder it writes."""

    training: Training
    out: Path
    work: Work
    counts: Counts
    step: int = 0
    position: int = 0
    """Length of the curves, in bytes, at the checkpoint that the run goes on from."""
    finished: bool = False
    resumed: str = ""
    """What ``pretrain.resume`` brought, for the manifest."""

    def go(self) -> None:
        """Train from where the checkpoints end, and leave the finished folder."""
        training, ranks = self.training, self.training.ranks
        if ranks.is_first:
            _bring_back(self.out)
        ranks.wait()
        self._resume()
        with Curves(self.out / "curves.jsonl", self.position, writes=ranks.is_first) as curves:
            ranks.wait()
            if not self.finished:
                self._train(curves)
        weights = whole_weights(training)
        if not ranks.is_first:
            return
        save_model(training.model, training.tokenizer, self.out / MODEL, weights)
        write_csv(self.out / "curves.jsonl")
        _keep_last(self.out / CHECKPOINTS, self.out / STATE)
        _describe(training, self.out / "curves.jsonl", self.counts)
        if self.resumed:
            self.counts.notes["resumed"] = self.resumed

    def _resume(self) -> None:
        """Take up the last checkpoint: this run's own, or the one that ``pretrain.resume`` names."""
        training = self.training
        loaded = load_latest(self.out / CHECKPOINTS)
        if loaded:
            if found := differences(loaded.record["made_of"], made_of(training)):
                raise UserError(
                    f"{loaded.place} was trained with another {', '.join(found)}",
                    f"remove {loaded.place.parent} to begin anew, or name its run in pretrain.resume",
                )
            self.step, self.position = loaded.record["step"], loaded.record["curve_bytes"]
            self.finished, self.resumed = loaded.record["finished"], loaded.record["resumed"]
        elif training.config.resume:
            loaded = self._adopt(Path(training.config.resume))
        if not loaded:
            return
        restore(loaded.tensors, training.weights, training.optimizer, training.ranks)
        if training.masters:
            training.masters.hand_down()
        for message in loaded.damaged:
            self.counts.notes.setdefault("damaged", []).append(message)
            self.work.report(self.counts, self.step, training.steps, message)

    def _adopt(self, folder: Path) -> Loaded:
        """The last checkpoint of another run, which may have had another configuration, and its curves so far."""
        training = self.training
        loaded = load_latest(folder / CHECKPOINTS) or load_checkpoint(folder / STATE)
        found = differences(loaded.record["made_of"], made_of(training))
        if "data" in found and training.config.resume_corpus != "any":
            raise UserError(
                f"{loaded.place} was trained on another corpus", 'set pretrain.resume_corpus to "any" if that is meant'
            )
        shapes = {name: tuple(weight.shape) for name, weight in training.weights.items()}
        if any(
            f"model.{n}" not in loaded.tensors or loaded.tensors[f"model.{n}"].shape != s for n, s in shapes.items()
        ):
            raise UserError(f"{loaded.place} holds a model of another shape", "set pretrain.model as it was")
        self.step = min(loaded.record["tokens"] // training.step_tokens, training.steps)
        self.resumed = f"{loaded.place}, step {loaded.record['step']}; differs in: {', '.join(found) or 'nothing'}"
        if training.ranks.is_first:
            lines = (folder / "curves.jsonl").read_bytes()[: loaded.record["curve_bytes"]]
            (self.out / "curves.jsonl").write_bytes(lines)
        self.position = loaded.record["curve_bytes"]
        return loaded

    def _train(self, curves: Curves) -> None:
        training, config, ranks = self.training, self.training.config, self.training.ranks
        live = Live(training, self.out, self.work, self.counts, self.step)
        if self.step == 0:
            live.validation(self._validate(0, curves))
        timer = time.monotonic()
        with noticed_signals() as asked, live:
            for step in range(self.step, training.steps):
                train_step(training, step)
                done = step + 1
                signal, is_late = self._agree(asked, timer)
                validates = done % config.validate_steps == 0 or done == training.steps
                if done % LOG_STEPS == 0 or validates or signal:
                    live.log(curves)
                if validates:
                    live.validation(self._validate(done, curves))
                self.finished = done == training.steps or (validates and curves.overfits(config.early_stop))
                if config.keep_steps and done % config.keep_steps == 0:
                    self._keep_snapshot(done)
                if self.finished or signal or is_late or is_due(config, done):
                    live.log(curves)
                    self._save(done, curves)
                    timer = time.monotonic()
                    live.go_on()
                if signal:
                    ranks.wait()
                    raise_again(signal)
                if self.finished:
                    return
            self.finished = True

    def _agree(self, asked: Interruption, timer: float) -> tuple[int, bool]:
        """The signal that any rank noticed, and whether the first one's clock asks for a checkpoint.

        A step's decisions rest on this alone: a signal that arrives later, on one rank before another, is the next
        step's, or the ranks would part and wait in different collectives.
        """
        minutes = self.training.config.checkpoint_minutes
        is_late = bool(minutes) and self.training.ranks.is_first and time.monotonic() - timer >= 60 * minutes
        code = self.training.ranks.most(2 * asked.number + is_late)
        return code // 2, bool(code % 2)

    def _validate(self, step: int, curves: Curves) -> dict[str, Any]:
        """The held-out loss, on all ranks alike, written to the curves."""
        training, tokens, config = self.training, self.training.tokens, self.training.config
        training.model.eval()
        with torch.no_grad():

            def loss(part: NDArray[np.int64]) -> Tensor:
                return training.objective(torch.from_numpy(part).to(training.device))

            found = validate(tokens, loss, config.sequence, config.micro_batch)
            if step == 0 and training.own_loss:
                found |= training.own_loss
            if "validation" in found:
                written = write_samples(
                    training.objective, training.encoder, tokens.validation, config.sequence, training.device
                )
                curves.write({"step": step, "tokens": step * training.step_tokens, **found, "samples": written})
            elif found:
                curves.write({"step": step, "tokens": 0, **found})
        training.model.train()
        return {"step": step, **found}

    def _save(self, done: int, curves: Curves) -> None:
        training = self.training
        tensors = tensors_of(training.weights, training.optimizer, training.ranks)
        if not training.ranks.is_first:
            return
        record = {
            "made_of": made_of(training),
            "tokens": done * training.step_tokens,
            "ranks": training.ranks.size,
            "finished": self.finished,
            "curve_bytes": curves.position(),
            "resumed": self.resumed,
        }
        weights = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}

        def write(folder: Path) -> None:
            save_model(training.model, training.tokenizer, folder, weights)

        save_checkpoint(self.out / CHECKPOINTS, done, tensors, record, write, training.config.keep_checkpoints)

    def _keep_snapshot(self, done: int) -> None:
        weights = whole_weights(self.training)
        if self.training.ranks.is_first:
            (self.out / "snapshots").mkdir(exist_ok=True)
            save_model(self.training.model, self.training.tokenizer, self.out / "snapshots" / f"{done:08d}", weights)


def is_due(config: Pretrain, done: int) -> bool:
    """Whether a checkpoint belongs after so many steps, by steps or by tokens."""
    if config.checkpoint_steps and done % config.checkpoint_steps == 0:
        return True
    size, every = config.batch * config.sequence, config.checkpoint_tokens
    return bool(every) and done * size // every > (done - 1) * size // every


def whole_weights(training: Training) -> dict[str, Tensor]:
    """The weights by name, whole and on the CPU; every rank must ask, the first gets them."""
    found = {name: whole_of(weight) for name, weight in training.weights.items()}
    return found if training.ranks.is_first else {}


def made_of(training: Training) -> dict[str, Any]:
    """What decides a run's result: corpus, configuration, seed and the weights that it began with."""
    known: dict[str, Any] = {"data": training.tokens.fingerprint(), "seed": training.seed}
    known["config"] = training.config.model_dump(mode="json", exclude=how_keys(training.config) | RESUMES)
    return known | ({"start": training.begun} if training.begun else {})


@contextmanager
def memory_explained(config: Pretrain, tokenizer: Path, device: torch.device) -> Generator[None]:
    """Memory that does not suffice in one line, with the micro-batch that would do."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        fitting = suggest_micro_batch(
            config, load_encoder(tokenizer).get_vocab_size(), available_memory(device), device.type
        )
        fitting = min(fitting, config.micro_batch - 1)  # the trace knows nothing of fragments and other programs
        recompute = "" if config.activations == "recompute" else 'pretrain.activations to "recompute", or '
        raise FaultError(
            f"{device} has too little memory for {config.micro_batch} sequences of {config.sequence} tokens",
            f"set pretrain.micro_batch to {fitting}" if fitting > 0 else f"set {recompute}a smaller model",
        ) from None


def _bring_back(out: Path) -> None:
    """A finished run's last checkpoint goes back to its place among the checkpoints."""
    folder, state = out / CHECKPOINTS, out / STATE
    if state.exists():  # whatever a kill has left of the others, which were being removed
        record = json.loads((state / "checkpoint.json").read_text(encoding="utf-8"))
        folder.mkdir(exist_ok=True)
        state.rename(folder / f"{record['step']:08d}")


def _keep_last(checkpoints: Path, state: Path) -> None:
    """The last checkpoint as ``state/``, without the model that lies beside it now; the others go."""
    last = max(path for path in checkpoints.iterdir() if path.name.isdigit())
    shutil.rmtree(state, ignore_errors=True)
    last.rename(state)
    shutil.rmtree(state / MODEL, ignore_errors=True)
    shutil.rmtree(checkpoints)


def _describe(training: Training, curves: Path, counts: Counts) -> None:
    """What the manifest says of the run, from its curves, so that a resumed run says the same."""
    lines = read_curves(curves)
    steps = [line for line in lines if "loss" in line]
    done = steps[-1]["step"]
    counts.numbers["steps"] = done
    counts.numbers["tokens"] = done * training.step_tokens
    counts.add("parameters", sum(weight.numel() for weight in training.weights.values()))
    last = steps[-LOG_STEPS:]
    counts.notes["loss"] = sum(line["loss"] for line in last) / len(last)
    for line in lines:
        if "validation" in line:
            counts.notes |= {"validation": line["validation"], "bits_per_byte": line["bits_per_byte"]}
    counts.notes["epochs"] = round(done * training.config.batch / training.used, 2)
    counts.notes |= training.sequences.facts()
    counts.notes["precision"] = "bfloat16" if training.is_mixed else "float32"
    if done < training.steps:
        counts.notes["early_stop"] = f"stopped at step {done} of {training.steps}: the validation loss rose"
