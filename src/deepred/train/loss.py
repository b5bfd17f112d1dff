"""The loss of a language model over a large vocabulary without the logits, and the module that ranks share for it.

The logits of 8 x 2048 tokens over a vocabulary of 49,152 are 3 GiB in float32, and code that holds them holds two or
three copies. Here they are computed in chunks of tokens: a chunk's logits live only until its loss and gradients are
known, and nothing is computed twice, since the gradients of a softmax need no more than the forward pass knows.
"""

from __future__ import annotations

import functools
from typing import Any, cast

import torch
from torch import Tensor, nn

from deepred.train.model import hidden_states

CHUNK_LOGITS = {"cpu": 1 << 21}
"""Logits alive at once, 8 MiB in float32: on a CPU twice as many are slower, since they leave the cache."""
CHUNK_LOGITS_ELSEWHERE = 1 << 27
"""The same on a GPU, which needs thousands of rows for full-speed products: 0.5 GiB in float32."""
MIN_CHUNK = 256
"""Tokens of a chunk at least: every chunk reads and writes the head's whole gradient once."""
IGNORED = -100
"""Target that counts for nothing, PyTorch's own convention."""


def chunked_cross_entropy(
    hidden: Tensor, weight: Tensor, targets: Tensor, z_loss: float = 0.0, chunk: int = 0, fused: bool = False
) -> Tensor:
    """The mean cross-entropy (nats a token, float32 scalar) of a linear head over hidden states.

    ``hidden`` is (tokens, width), ``weight`` (vocabulary, width), ``targets`` (tokens) with -100 for ignored ones.
    ``z_loss`` times the squared log-normalizer is added, which keeps logits from drifting (PaLM, section 5). The
    products run in ``hidden``'s type, the softmax in float32; ``fused`` compiles what lies between the products.
    """
    logits = CHUNK_LOGITS.get(hidden.device.type, CHUNK_LOGITS_ELSEWHERE)
    size = chunk or max(MIN_CHUNK, logits // weight.shape[0])
    return cast("Tensor", _ChunkedCrossEntropy.apply(hidden, weight, targets, z_loss, size, fused))


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Loss and gradients in one pass over the chunks; backward only scales what forward has found."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, z_loss: float, chunk: int, fused: bool
    ) -> Tensor:
        head = weight.to(hidden.dtype)
        to_hidden = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        to_weight = torch.zeros_like(weight, dtype=torch.float32) if ctx.needs_input_grad[1] else None
        kept = targets != IGNORED
        scale = 1.0 / kept.sum().clamp(min=1).float()  # stays on the device: no synchronisation
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        slopes_of = _compiled_slopes() if fused else _slopes
        for start in range(0, len(hidden), chunk):
            part, mask = hidden[start : start + chunk], kept[start : start + chunk]
            wanted = targets[start : start + chunk].clamp(min=0)[:, None]
            losses, slopes = slopes_of(part @ head.T, wanted, z_loss)
            total += (losses * mask).sum()
            if to_hidden is None and to_weight is None:
                continue
            share = (mask * scale)[:, None].to(hidden.dtype)  # by rows of the narrow factors, not of the slopes
            if to_hidden is not None:
                torch.mul(slopes @ head, share, out=to_hidden[start : start + chunk])
            if to_weight is not None:
                if slopes.dtype == torch.float32:
                    to_weight.addmm_(slopes.T, part * share)
                else:
                    to_weight += slopes.T @ (part * share)
        ctx.save_for_backward(to_hidden, to_weight)
        ctx.weight_dtype = weight.dtype
        return total * scale

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, Tensor | None, None, None, None, None]:  # type: ignore[override]
        to_hidden, to_weight = cast("tuple[Tensor | None, Tensor | None]", ctx.saved_tensors)
        (gradient,) = gradients
        hidden = None if to_hidden is None else to_hidden * gradient.to(to_hidden.dtype)
        weight = None if to_weight is None else (to_weight * gradient).to(ctx.weight_dtype)
        return hidden, weight, None, None, None, None


def _slopes(logits: Tensor, wanted: Tensor, z_loss: float) -> tuple[Tensor, Tensor]:
    """Each token's loss, and its gradient by the logits: softmax * (1 + 2 z norm) - one_hot, in few buffers."""
    slopes = torch.log_softmax(logits, 1, dtype=torch.float32)
    losses = -slopes.gather(1, wanted)[:, 0]
    norm = logits.gather(1, wanted)[:, 0].float() + losses if z_loss else losses
    slopes.exp_()
    if z_loss:
        losses = losses + z_loss * norm * norm
        slopes.mul_((1 + 2 * z_loss * norm)[:, None])
    slopes.scatter_add_(1, wanted, torch.full_like(wanted, -1, dtype=slopes.dtype))
    return losses, slopes.to(logits.dtype)


def _pure_slopes(logits: Tensor, wanted: Tensor, z_loss: float) -> tuple[Tensor, Tensor]:
    """The same for a compiler, which fuses it: the logits are read twice and the slopes written once."""
    wide = logits.float()
    norm = wide.logsumexp(1)
    losses = norm - wide.gather(1, wanted)[:, 0]
    slopes = (wide - norm[:, None]).exp()
    if z_loss:
        losses = losses + z_loss * norm * norm
        slopes = slopes * (1 + 2 * z_loss * norm)[:, None]
    columns = torch.arange(logits.shape[1], device=logits.device)
    return losses, (slopes - (columns == wanted).float()).to(logits.dtype)


@functools.cache
def _compiled_slopes() -> Any:
    return torch.compile(_pure_slopes)


class Objective(nn.Module):
    """A causal language model whose forward pass is its loss, or its next token."""

    def __init__(self, model: Any, trunk: nn.Module, separator: int | None = None, blocks: bool = False) -> None:
        super().__init__()
        self.model = model
        self.places = [trunk]
        """The trunk is a part of the model already; a list keeps it from being registered twice."""
        self.separator = separator
        self.blocks = blocks
        self.fused = False
        """Whether the elementwise part of the loss is compiled."""

    @property
    def head(self) -> Tensor:
        """The head's matrix, as it is at this moment (sharding replaces it)."""
        return cast("Tensor", self.model.get_output_embeddings().weight)

    def forward(self, ids: Tensor, z_loss: float = 0.0, predict: bool = False) -> Tensor:
        """The mean cross-entropy, in nats a token, of (sequences, length + 1) ids; or each one's likeliest next token.

        Both are here because sharded parameters are whole only while this runs.
        """
        if predict:
            last = self.hidden(ids).reshape(*ids.shape, -1)[:, -1]
            return (last @ self.head.T).argmax(-1)
        hidden = self.hidden(ids[:, :-1])
        return chunked_cross_entropy(hidden, self.head, ids[:, 1:].reshape(-1), z_loss, fused=self.fused)

    def hidden(self, ids: Tensor) -> Tensor:
        """The last hidden states of sequences of ids; shape (sequences x length, width)."""
        return hidden_states(self.places[0], ids, self.separator, self.blocks)
