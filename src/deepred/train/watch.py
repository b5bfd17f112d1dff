"""How a run is going, for whoever watches: the curves' lines, the live line, TensorBoard and Weights & Biases."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any, Protocol

import torch

from deepred.base.errors import FaultError, UserError
from deepred.run.stage import LOGS, Counts, Work
from deepred.train.curves import Clock, Curves
from deepred.train.device import peak_flops, peak_memory
from deepred.train.model import measure_size
from deepred.train.step import Training


class Tracker(Protocol):
    """A program that draws curves."""

    def log(self, step: int, values: dict[str, float]) -> None:
        """Take the values of a step."""
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


class Live:
    """Writes losses to the curves, and says how fast and how well it goes."""

    def __init__(self, training: Training, out: Path, work: Work, counts: Counts, start: int) -> None:
        self._training = training
        self._work, self._counts = work, counts
        self._trackers: list[Tracker] = []
        if not training.ranks.is_first:
            return
        flops = measure_size(training.model).flops_per_token(training.config.sequence)
        self._clock = Clock(out / LOGS / "speed.jsonl", start, training.step_tokens, flops)
        self._peak = peak_flops(training.device, training.is_mixed) * training.ranks.size
        self._trackers = _trackers(work, out, start, training)

    def __enter__(self) -> Live:
        return self

    def __exit__(self, *error: object) -> None:
        for tracker in self._trackers:
            tracker.close()

    def log(self, curves: Curves) -> None:
        """Write the steps whose losses are still on the device; a loss that is no number ends the run."""
        line = write_losses(self._training, curves)
        if not line or not self._training.ranks.is_first:
            return
        speed = self._clock.tick(line["step"], peak_memory(self._training.device), self._peak)
        self._counts.numbers["tokens"] = line["tokens"]
        left = (self._training.steps - line["step"]) * self._training.step_tokens / speed["tokens_per_second"]
        note = f"{describe(line['loss'], speed)}  {span(left)} left"
        self._work.report(self._counts, line["step"], self._training.steps, note)
        values = {name: line[name] for name in ("loss", "norm", "rate")}
        self._send(line["step"], values | {n: v for n, v in speed.items() if n not in ("step", "seconds")})

    def validation(self, found: dict[str, Any]) -> None:
        """Pass a validation on, and leave its time out of the speed."""
        if self._training.ranks.is_first and "validation" in found:
            by_source = {f"validation/{source}": loss for source, loss in found["by_source"].items()}
            values = {"validation": found["validation"], "bits_per_byte": found["bits_per_byte"]}
            self._send(found["step"], values | by_source)
        self.go_on()

    def go_on(self) -> None:
        """Leave out of the speed what has passed since the last step."""
        if self._training.ranks.is_first:
            self._clock.go_on()

    def _send(self, step: int, values: dict[str, float]) -> None:
        for tracker in self._trackers:
            tracker.log(step, values)


def write_losses(training: Training, curves: Curves) -> dict[str, Any]:
    """Write the pending steps and return the last; a loss that is no number ends the run."""
    if not training.pending:
        return {}
    stacked = torch.stack([torch.stack([loss, norm.float()]) for _, _, loss, norm in training.pending])
    values: list[list[float]] = training.ranks.mean(stacked).tolist()
    line: dict[str, Any] = {}
    for (step, rate, _, _), (loss, norm) in zip(training.pending, values, strict=True):
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise FaultError(
                f"the loss is {loss} and its gradient's norm {norm} at step {step}",
                "lower pretrain.learning_rate or pretrain.clip, or raise pretrain.warmup",
            )
        line = {"step": step, "tokens": step * training.step_tokens, "loss": loss, "norm": norm, "rate": rate}
        curves.write(line)
    training.pending.clear()
    return line


def describe(loss: float, speed: dict[str, Any]) -> str:
    """The live line's middle: ``loss 3.214  12,400 tok/s  41% MFU  11.2 GiB``."""
    if "mfu" in speed:
        use = f"{speed['mfu']:.0%} MFU"
    else:
        use = (
            f"{speed['teraflops']:.2f} TFLOP/s"
            if speed["teraflops"] >= 1
            else f"{speed['teraflops'] * 1e3:.1f} GFLOP/s"
        )
    return f"loss {loss:.3f}  {speed['tokens_per_second']:,.0f} tok/s  {use}  {speed['memory'] / 2**30:.1f} GiB"


def span(seconds: float) -> str:
    """A time in two units at most.

    >>> span(200_000), span(4_000), span(61), span(7)
    ('2 d 7 h', '1 h 6 min', '1 min', '7 s')
    """
    minutes = int(seconds // 60)
    if minutes >= 24 * 60:
        return f"{minutes // 1440} d {minutes % 1440 // 60} h"
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"


def _trackers(work: Work, out: Path, start: int, training: Training) -> list[Tracker]:
    found: list[Tracker] = []
    if work.settings.tensorboard:
        found.append(_TensorBoard(out / LOGS / "tensorboard", start))
    if work.settings.wandb:
        config = training.config.model_dump(mode="json")
        found.append(_WeightsAndBiases(work.settings.wandb, out, config))
    return found


class _TensorBoard:
    """Event files in ``logs/tensorboard``; steps after the checkpoint that a run goes on from are hidden."""

    def __init__(self, folder: Path, start: int) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of protobuf's own deprecations
                from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise UserError(
                "DEEPRED_TENSORBOARD is set, but tensorboard is not installed", "pip install tensorboard"
            ) from None
        self._writer: Any = SummaryWriter(str(folder), purge_step=start + 1)

    def log(self, step: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        self._writer.close()


class _WeightsAndBiases:
    """A run of a project, by the name of its folder, so that a resumed one goes on (WANDB_MODE=offline: to files)."""

    def __init__(self, project: str, out: Path, config: dict[str, Any]) -> None:
        try:
            import wandb  # pyright: ignore[reportMissingImports]
        except ImportError:
            raise UserError("DEEPRED_WANDB is set, but wandb is not installed", "pip install wandb") from None
        name = out.name.removesuffix(".partial")
        folder = out / LOGS / "wandb"
        folder.mkdir(parents=True, exist_ok=True)
        self._run: Any = wandb.init(project=project, id=name, name=name, resume="allow", dir=str(folder), config=config)

    def log(self, step: int, values: dict[str, float]) -> None:
        self._run.log(values, step=step)

    def close(self) -> None:
        self._run.finish()
