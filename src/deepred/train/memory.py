"""Memory of a training step, by part, without running one: the real model's step is traced on tensors without data.

The trace (PyTorch's FakeTensor) goes through this project's own forward pass, loss and backward pass and notes every
allocation and release; the peak is read from that ledger. Memory is linear in the layers, so two shallow copies of the
model are traced and extended, which takes seconds for any size.

Known limits: an eager step is traced (a compiled one needs less), attention is a fused kernel (PyTorch's plain ``math``
kernel keeps a length x length matrix a head), and an allocator's fragments, a GPU's context (about 0.5 GiB) and the
libraries of a process on a CPU come on top.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from deepred.base.errors import UserError
from deepred.run.config import Model, Pretrain
from deepred.train.loss import CHUNK_LOGITS, CHUNK_LOGITS_ELSEWHERE, MIN_CHUNK, chunked_cross_entropy
from deepred.train.model import Size, llama_config, measure_size, recompute_activations
from deepred.train.model_files import read_config
from deepred.train.storage_ledger import Ledger, Marks

if TYPE_CHECKING:
    from transformers import PretrainedConfig

TRACED = (2, 3)
"""Layers of the copies that are traced: with one, the first layer would be the last one too."""
HEADROOM, HEADROOM_CPU = 0.9, 0.5
"""Share of the available memory that a step may fill: an allocator's fragments and a GPU's context take the rest. On a
CPU a small model peaked at 1.6 times the trace (2.0 recomputing), and at 1.02 where freed memory was given back."""


@dataclass(frozen=True)
class Numbers:
    """What a step computes and remembers in: the type of the weights, and bytes a parameter beside them."""

    weights: torch.dtype
    master: int = 0
    """Bytes of a weight's float32 copy, with which its gradients are summed up in float32 as well."""
    moments: int = 8


FLOAT32 = Numbers(torch.float32)
BFLOAT16_MASTER = Numbers(torch.bfloat16, master=4)


def numbers_of(config: Pretrain, device: str) -> Numbers:
    """What the trainer computes in on a device: mixed precision where configured, never on a CPU."""
    return BFLOAT16_MASTER if config.precision == "bfloat16" and device != "cpu" else FLOAT32


@dataclass(frozen=True)
class StepMemory:
    """Bytes by part at the moment when a step needs most."""

    weights: int
    master: int
    """Weights in float32 beside those that the products read."""
    moments: int
    gradients: int
    activations: int
    """What the forward pass leaves for the backward pass."""
    logits: int
    """A chunk of logits, and the gradients that the loss has found."""
    workspace: int
    """What a layer's backward pass holds for itself."""

    @property
    def total(self) -> int:
        """All parts together."""
        return sum(getattr(self, field.name) for field in fields(self))


def architecture_of(model: Model, sequence: int, vocabulary: int) -> PretrainedConfig:
    """The configuration of a run file's model: a Llama of its shape, or what the base model's ``config.json`` says."""
    from transformers import AutoConfig

    if not model.base:
        return llama_config(model, sequence, vocabulary)
    if (Path(model.base) / "config.json").is_file():
        read_config(Path(model.base))
    try:
        return AutoConfig.from_pretrained(model.base, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"the configuration of the base model {model.base!r} does not load: {str(error).splitlines()[0]}",
            f"fetch it with `hf download {model.base} config.json`, or name a folder that holds it",
        ) from None


def step_memory(
    config: Pretrain,
    vocabulary: int,
    device: str = "cuda",
    *,
    micro_batch: int = 0,
    numbers: Numbers | None = None,
    architecture: PretrainedConfig | None = None,
) -> StepMemory:
    """The memory of a training step of this configuration, from the second step on (when there are moments).

    ``vocabulary`` counts where the model is built from a shape; ``micro_batch`` and ``numbers`` stand in for the
    configured ones, ``architecture`` for the configured model.
    """
    shape = architecture or architecture_of(config.model, config.sequence, vocabulary)
    trace = _Trace(config, micro_batch or config.micro_batch, device, numbers or numbers_of(config, device))
    return max(trace.peaks(shape), key=lambda peak: peak.total)


def suggest_micro_batch(
    config: Pretrain,
    vocabulary: int,
    available_bytes: int,
    device: str = "cuda",
    *,
    numbers: Numbers | None = None,
    architecture: PretrainedConfig | None = None,
) -> int:
    """The largest micro-batch, up to the batch, whose step fits into the available memory; 0 where none fits."""
    shape = architecture or architecture_of(config.model, config.sequence, vocabulary)

    room = int(available_bytes * (HEADROOM_CPU if device == "cpu" else HEADROOM))

    def peaks(size: int) -> list[int]:
        trace = _Trace(config, size, device, numbers or numbers_of(config, device))
        return [peak.total for peak in trace.peaks(shape)]

    # from where the tokens fill two chunks of the loss, every peak grows by as much with each sequence
    full = -(-2 * _chunk(device, int(shape.vocab_size)) // config.sequence)
    if full < config.batch and max(low := peaks(full)) <= room:
        slopes = [b - a for a, b in zip(low, peaks(full + 1), strict=True)]
        more = min((room - peak) // slope for peak, slope in zip(low, slopes, strict=True) if slope > 0)
        return min(config.batch, full + more)
    return _largest(lambda size: room - max(peaks(size)), min(full, config.batch))


def _largest(left: Callable[[int], int], limit: int) -> int:
    """The largest number from 1 to a limit that leaves something, 0 where none does; by false position."""
    low, high = 1, limit
    at_low, at_high = left(low), left(high)
    if at_low < 0 or at_high >= 0:
        return 0 if at_low < 0 else high
    while high - low > 1:
        guess = low + at_low * (high - low) // (at_low - at_high)
        guess = min(max(guess, low + 1), high - 1)
        if (at_guess := left(guess)) >= 0:
            low, at_low = guess, at_guess
        else:
            high, at_high = guess, at_guess
    return low


def _chunk(device: str, vocabulary: int) -> int:
    """Tokens of a chunk of the loss on a device."""
    return max(MIN_CHUNK, CHUNK_LOGITS.get(device, CHUNK_LOGITS_ELSEWHERE) // vocabulary)


def _extended(low: StepMemory, high: StepMemory, times: int) -> StepMemory:
    """A line through two points a layer apart, part by part."""
    parts = {
        field.name: getattr(low, field.name) + times * (getattr(high, field.name) - getattr(low, field.name))
        for field in fields(StepMemory)
    }
    return StepMemory(**parts)


@dataclass(frozen=True)
class _Trace:
    """A step that is traced on copies of a model of different depths."""

    config: Pretrain
    micro_batch: int
    device: str
    numbers: Numbers

    def peaks(self, shape: PretrainedConfig) -> list[StepMemory]:
        """Peaks up to the loss, of the last layer's backward pass, and of the others'.

        Each is linear in the layers and, once the tokens fill two chunks of the loss, in the micro-batch.
        """
        layers = int(shape.num_hidden_layers)
        if layers <= TRACED[1]:
            return self._run(shape, layers)
        low, high = (self._run(shape, traced) for traced in TRACED)
        return [_extended(a, b, layers - TRACED[0]) for a, b in zip(low, high, strict=True)]

    def _run(self, shape: PretrainedConfig, layers: int) -> list[StepMemory]:
        with FakeTensorMode():
            model = skeleton(shape, layers, self.numbers.weights)
            model.train()
            if self.config.activations == "recompute":
                recompute_activations(model)
            _attend_without_mask(model)
            parameters = list(model.parameters())
            sums = [torch.empty_like(p, dtype=torch.float32) for p in parameters] if self.numbers.master else parameters
            for parameter, total in zip(parameters, sums, strict=True):
                if total is not parameter:
                    parameter.register_post_accumulate_grad_hook(partial(_collect, total))
            if self.config.batch > self.micro_batch:  # gradients of earlier micro-batches are there already
                for total in sums:
                    total.grad = torch.zeros_like(total)
            ledger = Ledger([*parameters, *model.buffers(), *sums])
            marks = Marks()

            def mark(_: Tensor) -> None:
                marks.layer_events = len(ledger.events)

            for parameter in _last_layer(model).parameters():
                parameter.register_post_accumulate_grad_hook(mark)
            with ledger:
                self._step(model, ledger, marks)
            gradients = {ledger.number(total.grad) for total in sums if total.grad is not None}
            weights = _bytes(parameters)
            before = _bytes(sums) if self.config.batch > self.micro_batch else 0
            count = sum(p.numel() for p in parameters)
        state = (weights + _bytes(model.buffers()), self.numbers.master * count, self.numbers.moments * count)
        peaks = ledger.peaks(marks, gradients)
        return [StepMemory(*state, before + new, *rest) for new, *rest in peaks]

    def _step(self, model: Any, ledger: Ledger, marks: Marks) -> None:
        """Forward and backward pass."""
        config = self.config
        ids = torch.zeros((self.micro_batch, config.sequence + 1), dtype=torch.long)
        # a GPU skips foreign documents by blocks, a CPU reads a mask
        is_masked = config.attention == "document" and self.device == "cpu"
        more = _mask(self.micro_batch, config.sequence) if is_masked else {}
        head = model.get_output_embeddings().weight
        hidden = model.base_model(input_ids=ids[:, :-1], use_cache=False, **more).last_hidden_state
        hidden = hidden.reshape(-1, hidden.shape[-1])
        marks.forward = ledger.count
        chunk = _chunk(self.device, head.shape[0])
        loss = chunked_cross_entropy(hidden, head, ids[:, 1:].reshape(-1), config.z_loss, chunk)
        marks.loss, marks.loss_events = ledger.count, len(ledger.events)
        del hidden
        loss.backward()


def size_of(shape: PretrainedConfig) -> Size:
    """The size of a configuration's model, counted on the model itself (without data)."""
    with FakeTensorMode():
        return measure_size(skeleton(shape, int(shape.num_hidden_layers)))


def skeleton(shape: PretrainedConfig, layers: int, dtype: torch.dtype = torch.float32) -> Any:
    """The model of a configuration with so many layers; below a ``FakeTensorMode`` it has no data."""
    from transformers import AutoModelForCausalLM

    shape = copy.deepcopy(shape)
    if kinds := getattr(shape, "layer_types", None):  # some architectures name every layer's kind
        shape.layer_types = kinds[:layers]
    shape.num_hidden_layers = layers
    return AutoModelForCausalLM.from_config(shape, dtype=dtype)


def _attend_without_mask(model: Any) -> None:
    """Attention by PyTorch's fused kernel: under another name, for which ``transformers`` makes no mask in a trace."""
    from transformers import AttentionInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if model.config._attn_implementation == "sdpa":
        AttentionInterface.register("traced", sdpa_attention_forward)
        model.set_attn_implementation("traced")


def _mask(count: int, length: int) -> dict[str, Tensor]:
    """What keeps documents apart where attention takes a plain mask."""
    mask = torch.ones((count, 1, length, length), dtype=torch.bool)
    return {"attention_mask": mask, "position_ids": torch.zeros((count, length), dtype=torch.long)}


def _collect(total: Tensor, parameter: Tensor) -> None:
    """Add a parameter's gradient to the float32 sum of its master weight, and let it go."""
    if parameter.grad is not None:
        if total.grad is None:
            total.grad = parameter.grad.float()
        else:
            total.grad.add_(parameter.grad)
        parameter.grad = None


def _last_layer(model: nn.Module) -> nn.Module:
    stacks = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    return max(stacks, key=lambda stack: sum(p.numel() for p in stack.parameters()))[-1]


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors)
