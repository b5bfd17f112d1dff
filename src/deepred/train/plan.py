"""What a training would take, before anything runs: FLOPs, memory by part, time, disk, cost and a verdict.

The model is built without data: parameters are counted on it and memory is traced through a step of it
(``train/memory.py``). Time is FLOPs over the device's peak times a share (MFU) that is stated with its source.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.errors import UserError
from deepred.base.files import shipped_text
from deepred.run.config import Model, Pretrain
from deepred.run.hardware import Device

if TYPE_CHECKING:
    from transformers import PretrainedConfig

    from deepred.run.runner import Pipeline
    from deepred.train.model import Size

CHINCHILLA = 20.0
"""Tokens a parameter at which a given compute trains best (Hoffmann et al. 2022)."""
GOOD_EPOCHS = 4.0
"""Epochs up to which repeated text is worth nearly as much as new (Muennighoff et al. 2023)."""
RECOMPUTED = 4 / 3
"""Work of a step that recomputes its activations, over one that keeps them: a second forward pass."""
PATIENCE = 60.0
"""Days beyond which a training is called too long for one machine."""
STATE_BYTES, MODEL_BYTES = 12, 4
"""Bytes a parameter of a checkpoint (float32 weights, two moments), and of the model beside it."""
TABLE = ("125m", "350m", "1b", "3b", "7b")
USUAL: dict[str, Any] = {"sequence": 2048, "batch": 128, "micro_batch": 4, "precision": "bfloat16"}
"""The setting of a plan that has no run file."""
GIB, DAY = 1 << 30, 86_400.0


@dataclass(frozen=True)
class Known:
    """A model of ``models.toml``."""

    model: Model
    vocabulary: int
    context: int


@dataclass(frozen=True)
class Request:
    """What is to be planned."""

    name: str
    config: Pretrain
    vocabulary: int
    device: Device
    mfu: float
    mfu_source: str
    arms: int = 1
    corpus: int | None = None
    """Training tokens of the corpus where its token files are there."""
    price: float = 0.0
    """Price of an hour."""


@dataclass(frozen=True)
class Memory:
    """A step's memory with activations kept or recomputed."""

    activations: str
    micro_batch: int
    parts: dict[str, int]
    total: int
    largest: int
    """The largest micro-batch that fits; 0 where none does."""


@dataclass(frozen=True)
class Plan:
    """All that can be told beforehand. Bytes, seconds and tokens are plain numbers; times are of one arm."""

    name: str
    device: str
    parameters: int
    tokens: int
    tokens_per_parameter: float
    corpus: int | None
    epochs: float | None
    steps: int
    flops_per_token: float
    flops: float
    memory: list[Memory]
    available: int
    activations: str
    """How the time below is reckoned: the configured way where it fits, else the other."""
    micro_batch: int
    peak: float
    mfu: float
    mfu_source: str
    tokens_per_second: float
    days: float
    arms: int
    disk: dict[str, int]
    cost: float | None
    fits: bool
    verdict: str = field(default="")

    def to_json(self) -> dict[str, Any]:
        """Plain values for programs."""
        return asdict(self)


@cache
def known_models() -> dict[str, Known]:
    """The models of ``models.toml`` by name, and by hub id in small letters."""
    table = tomllib.loads(shipped_text("deepred.train", "models.toml"))
    found: dict[str, Known] = {}
    for name, values in table.items():
        hub, vocabulary, context = values.pop("hub"), values.pop("vocabulary"), values.pop("context")
        known = Known(Model.model_validate(values), vocabulary, context)
        found |= {key: known for key in (name, hub.lower()) if key}
    return found


def parse_tokens(text: str) -> int:
    """A number of tokens with an optional unit.

    >>> parse_tokens("10B"), parse_tokens("2.5 M"), parse_tokens("400_000")
    (10000000000, 2500000, 400000)
    """
    units = {"K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
    number = text.strip().upper().replace("_", "").replace(",", "")
    unit = units.get(number[-1:], 0)
    try:
        found = float(number[:-1]) * unit if unit else float(number)
        if not 1 <= found < 1e16:
            raise ValueError
    except ValueError:
        raise UserError(f"--tokens {text!r} is not a number of tokens", "for example 400000, 300M or 10B") from None
    return round(found)


def request_of_model(name: str, tokens: int | None, device: Device, **more: Any) -> Request:
    """A plan for a named model, in the usual setting; without a number of tokens, for Chinchilla's.

    ``sequence``, ``batch`` and ``micro_batch`` stand in for the usual ones; ``mfu`` and ``price`` as in ``Request``.
    """
    if not (known := known_models().get(name.lower())):
        names = ", ".join(key for key in known_models() if "/" not in key)
        raise UserError(f"the model {name!r} is not known", f"known: {names}; any other stands in a run file")
    setting = USUAL | {key: value for key, value in more.items() if key in USUAL and value}
    shape = _architecture(known.model, setting["sequence"], known.vocabulary)
    count = tokens or round(CHINCHILLA * _size(shape).parameters)
    config = Pretrain.model_validate({"model": known.model, "tokens": count, **setting})
    mfu, source = _mfu(device, more.get("mfu"))
    return Request(name.lower(), config, known.vocabulary, device, mfu, source, price=more.get("price", 0.0))


def request_of_run(pipeline: Pipeline, device: Device, mfu: float | None = None, price: float = 0.0) -> Request:
    """A plan for a run file; where its token files are there, with their real number of tokens."""
    run = pipeline.run
    meta = _token_files(pipeline)
    vocabulary = meta["vocabulary"] if meta else run.tokenizer.vocabulary
    share, source = _mfu(device, mfu)
    corpus = int(meta["train"]["tokens"]) if meta else None
    return Request(run.name, run.pretrain, vocabulary, device, share, source, len(run.arms), corpus, price)


def _mfu(device: Device, given: float | None) -> tuple[float, str]:
    return (given, "as given") if given else (device.mfu, device.mfu_source)


def _token_files(pipeline: Pipeline) -> dict[str, Any] | None:
    """What the run's token files say of themselves, None where they are not built (or the sources not there)."""
    from deepred.run.runner import is_complete

    try:
        node = pipeline.node("shards")
        if pipeline.key(node, hash_files=False) is None:
            return None
        folder = pipeline.folder(node)
    except UserError:
        return None  # the sources are not there yet
    path = folder / "meta.json"
    return json.loads(path.read_text(encoding="utf-8")) if is_complete(folder) and path.exists() else None


def make_plan(request: Request) -> Plan:
    """The plan of a request."""
    config, device = request.config, request.device
    shape = _architecture(config.model, config.sequence, request.vocabulary)
    size = _size(shape)
    available = int(device.memory * 1e9)
    memory = [_memory(request, shape, way, available) for way in ("keep", "recompute")]
    chosen = _choose(config, memory)
    flops = size.flops_per_token(config.sequence)
    work = RECOMPUTED if chosen.activations == "recompute" else 1.0
    peak = device.teraflops * 1e12
    rate = peak * request.mfu / flops / work
    days = config.tokens / rate / DAY
    plan = Plan(
        name=request.name,
        device=device.title,
        parameters=size.parameters,
        tokens=config.tokens,
        tokens_per_parameter=config.tokens / size.parameters,
        corpus=request.corpus,
        epochs=config.tokens / (request.corpus * config.dev_fraction) if request.corpus else None,
        steps=-(-config.tokens // (config.batch * config.sequence)),
        flops_per_token=flops,
        flops=flops * config.tokens,
        memory=memory,
        available=available,
        activations=chosen.activations,
        micro_batch=min(config.micro_batch, chosen.largest) or config.micro_batch,
        peak=peak,
        mfu=request.mfu,
        mfu_source=request.mfu_source,
        tokens_per_second=rate,
        days=days,
        arms=request.arms,
        disk=_disk(request, size.parameters),
        cost=days * 24 * request.price * request.arms if request.price else None,
        fits=bool(chosen.largest),
    )
    return replace(plan, verdict=_verdict(plan, config, chosen))


def make_table(names: Sequence[str], tokens: int | None, device: Device, **more: Any) -> list[Plan]:
    """A plan for each of some models on one device."""
    return [make_plan(request_of_model(name, tokens, device, **more)) for name in names]


def _architecture(model: Model, sequence: int, vocabulary: int) -> PretrainedConfig:
    """The model's configuration; a well-known base model's without asking the hub."""
    from deepred.train.memory import architecture_of

    known = known_models().get(model.base.lower()) if model.base else None
    if known and not Path(model.base).exists():
        return architecture_of(known.model, max(sequence, known.context), known.vocabulary)
    return architecture_of(model, sequence, vocabulary)


def _size(shape: PretrainedConfig) -> Size:
    from deepred.train.memory import size_of

    return size_of(shape)


def _memory(request: Request, shape: PretrainedConfig, way: str, available: int) -> Memory:
    from deepred.train.memory import step_memory, suggest_micro_batch

    config = request.config.model_copy(update={"activations": way})
    kind = "cpu" if request.device.name == "cpu" else "cuda"
    largest = suggest_micro_batch(config, request.vocabulary, available, kind, architecture=shape)
    found = step_memory(config, request.vocabulary, kind, architecture=shape)
    return Memory(way, config.micro_batch, dict(vars(found)), found.total, largest)


def _choose(config: Pretrain, memory: Sequence[Memory]) -> Memory:
    """The configured way where its micro-batch fits, else the way with the larger micro-batch."""
    configured = next(way for way in memory if way.activations == config.activations)
    if configured.largest >= config.micro_batch:
        return configured
    return max(memory, key=lambda way: (way.largest, way is configured))


def _disk(request: Request, parameters: int) -> dict[str, int]:
    """Bytes on disk: checkpoints (one more while the newest is written), models, token files."""
    config = request.config
    kept = int(getattr(config, "keep_checkpoints", 2))
    found = {"checkpoints": (kept + 1) * STATE_BYTES * parameters, "models": request.arms * MODEL_BYTES * parameters}
    if config.keep_steps:
        steps = -(-config.tokens // (config.batch * config.sequence))
        found["snapshots"] = request.arms * (steps // config.keep_steps) * MODEL_BYTES * parameters
    if request.corpus:
        found["tokens"] = request.corpus * (2 if request.vocabulary <= 1 << 16 else 4)
    return found


def _verdict(plan: Plan, config: Pretrain, chosen: Memory) -> str:
    """One sentence."""
    if not plan.fits:
        need = min(way.total for way in plan.memory) / GIB
        return (
            "Does not fit: even recomputing, a micro-batch of 1 does not go into what a step may fill of "
            f"{plan.available / GIB:.1f} GiB ({config.micro_batch} need {need:.1f} GiB besides fragments); "
            "take a smaller model, shorter sequences or a larger device."
        )
    changes = [f"pretrain.micro_batch = {plan.micro_batch}"] if plan.micro_batch != config.micro_batch else []
    if chosen.activations != config.activations:
        changes.append(f'pretrain.activations = "{chosen.activations}"')
    start = f"Fits only with {' and '.join(changes)}" if changes else "Fits"
    arms = f" for each of {plan.arms} arms" if plan.arms > 1 else ""
    text = f"{start}; {shown_time(plan.days)}{arms}"
    if plan.days > PATIENCE:
        text += ", too long for one machine"
    elif plan.epochs and plan.epochs > GOOD_EPOCHS:
        text += f", reading the corpus {plan.epochs:.1f} times (beyond about {GOOD_EPOCHS:g} repetition teaches little)"
    elif not config.model.base and plan.tokens_per_parameter < CHINCHILLA / 2:
        text += (
            f", on {plan.tokens_per_parameter:.1f} tokens a parameter, few for a model from scratch ({CHINCHILLA:g})"
        )
    return text + "."


def shown_time(days: float) -> str:
    """A time in the unit that suits it.

    >>> shown_time(3.25), shown_time(0.5), shown_time(0.001)
    ('3.2 days', '12.0 hours', '1.4 minutes')
    """
    if days >= 1:
        return f"{days:.1f} days"
    return f"{days * 24:.1f} hours" if days * 24 >= 1 else f"{days * 1440:.1f} minutes"
