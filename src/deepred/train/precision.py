"""bfloat16 weights for the products, float32 masters for the optimizer.

Autocast would keep the residual stream and its activations in float32, since norms multiply by float32 weights: twice
the memory traffic. So the model itself becomes bfloat16 and its masters are apart: 18 bytes a parameter (2 weights, 4
master, 8 moments, 4 gradients). A gradient goes into the master's float32 sum as soon as it is whole, so that many
micro-batches add up without the losses of bfloat16, and no bfloat16 gradients lie about.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Masters:
    """float32 copies of a model's parameters, which become bfloat16; buffers (rotary frequencies) stay as they are."""

    def __init__(self, model: nn.Module) -> None:
        self.copies: dict[str, Tensor] = {}
        self._lower: list[Tensor] = []
        for name, parameter in model.named_parameters():
            master = parameter.detach().clone().requires_grad_(parameter.requires_grad)
            parameter.data = parameter.data.to(torch.bfloat16)
            self.copies[name] = master
            self._lower.append(parameter)
            if parameter.requires_grad:
                parameter.register_post_accumulate_grad_hook(_collector(master))

    @torch.no_grad()
    def hand_down(self) -> None:
        """Round the masters into the model."""
        torch._foreach_copy_(self._lower, list(self.copies.values()))  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]


def _collector(master: Tensor) -> Callable[[Tensor], None]:
    def collect(parameter: Tensor) -> None:
        if parameter.grad is None:
            return
        if master.grad is None:
            master.grad = parameter.grad.float()
        else:
            master.grad.add_(parameter.grad)
        parameter.grad = None

    return collect
