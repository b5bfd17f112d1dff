"""Cross-entropy over a large vocabulary without the logits: computed in chunks of tokens, with their gradients at once.

The logits of 8 x 2048 tokens over a vocabulary of 49,152 are 3 GiB in float32, and code that holds them holds two or
three copies. Here a chunk's logits live only until its loss and gradients are known: nothing is computed twice, since
the gradients of a softmax need no more than the forward pass knows.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

CHUNK_LOGITS = {"cpu": 1 << 21}
"""Logits alive at once, 8 MiB in float32: on a CPU twice as many are slower, since they leave the cache."""
CHUNK_LOGITS_ELSEWHERE = 1 << 27
"""The same on a GPU, which needs thousands of rows for full-speed products: 0.5 GiB in float32."""
MIN_CHUNK = 256
"""Tokens of a chunk at least: every chunk reads and writes the head's whole gradient once."""
IGNORED = -100
"""Target that counts for nothing, PyTorch's own convention."""


def chunked_cross_entropy(
    hidden: Tensor, weight: Tensor, targets: Tensor, z_loss: float = 0.0, chunk: int = 0
) -> Tensor:
    """The mean cross-entropy (nats a token, float32 scalar) of a linear head over hidden states.

    ``hidden`` is (tokens, width), ``weight`` (vocabulary, width), ``targets`` (tokens) with -100 for ignored ones.
    ``z_loss`` times the squared log-normalizer is added, which keeps logits from drifting (PaLM, section 5). The
    products run in ``hidden``'s type, the softmax in float32.
    """
    logits = CHUNK_LOGITS.get(hidden.device.type, CHUNK_LOGITS_ELSEWHERE)
    size = chunk or max(MIN_CHUNK, logits // weight.shape[0])
    return cast("Tensor", _ChunkedCrossEntropy.apply(hidden, weight, targets, z_loss, size))


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Loss and gradients in one pass over the chunks; backward only scales what forward has found."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, z_loss: float, chunk: int) -> Tensor:
        head = weight.to(hidden.dtype)
        to_hidden = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        to_weight = torch.zeros_like(weight, dtype=torch.float32) if ctx.needs_input_grad[1] else None
        kept = targets != IGNORED
        scale = 1.0 / kept.sum().clamp(min=1).float()  # stays on the device: no synchronisation
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        for start in range(0, len(hidden), chunk):
            part, mask = hidden[start : start + chunk], kept[start : start + chunk]
            wanted = targets[start : start + chunk].clamp(min=0)[:, None]
            slope = torch.log_softmax(part @ head.T, 1, dtype=torch.float32)
            norm = losses = -slope.gather(1, wanted)[:, 0]
            if z_loss:
                norm = (part * head[wanted[:, 0]]).sum(1, dtype=torch.float32) + losses
                losses = losses + z_loss * norm * norm
            total += (losses * mask).sum()
            if to_hidden is None and to_weight is None:
                continue
            # d loss / d logits = softmax * (1 + 2 z norm) - one_hot, in the log-softmax's own memory
            slope.exp_()
            if z_loss:
                slope.mul_((1 + 2 * z_loss * norm)[:, None])
            slope.scatter_add_(1, wanted, torch.full_like(wanted, -1, dtype=slope.dtype))
            slope = slope.to(hidden.dtype)
            share = (mask * scale)[:, None].to(hidden.dtype)  # by rows of the narrow factors, not of the slopes
            if to_hidden is not None:
                torch.mul(slope @ head, share, out=to_hidden[start : start + chunk])
            if to_weight is not None:
                if slope.dtype == torch.float32:
                    to_weight.addmm_(slope.T, part * share)
                else:
                    to_weight += slope.T @ (part * share)
        ctx.save_for_backward(to_hidden, to_weight)
        ctx.weight_dtype = weight.dtype
        return total * scale

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, Tensor | None, None, None, None]:  # type: ignore[override]
        to_hidden, to_weight = cast("tuple[Tensor | None, Tensor | None]", ctx.saved_tensors)
        (gradient,) = gradients
        hidden = None if to_hidden is None else to_hidden * gradient.to(to_hidden.dtype)
        weight = None if to_weight is None else (to_weight * gradient).to(ctx.weight_dtype)
        return hidden, weight, None, None, None
