"""Several processes, a device each, that train one model: FSDP2 shards weights, gradients and moments over them.

Whatever is written is written by the first rank, from whole tensors, so that any number of ranks goes on from it.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

PATIENCE = timedelta(minutes=30)
"""How long a rank waits for another, which may be writing a checkpoint."""


@dataclass(frozen=True)
class Ranks:
    """This process's place among those that train together; alone by default."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def most(self, value: int) -> int:
        """The largest of the ranks' values, agreed on without waiting for a device."""
        if self.size == 1:
            return value
        values = torch.tensor(value)
        dist.all_reduce(values, dist.ReduceOp.MAX)
        return int(values.item())

    def mean(self, values: Tensor) -> Tensor:
        """The mean of a tensor over the ranks."""
        if self.size > 1:
            values = values.clone()
            dist.all_reduce(values)
            values /= self.size
        return values

    def wait(self) -> None:
        """Go on when all have come here."""
        self.most(0)

    def gather(self, value: Any) -> list[Any]:
        """Every rank's value, in their order."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, value)
        return found


@contextmanager
def joined(device: torch.device) -> Generator[Ranks]:
    """This process's ranks, from the variables that torchrun and ``launch.py`` set; alone without them."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Ranks()
        return
    rank = int(os.environ["RANK"])
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # gloo beside nccl: what ranks agree on before a step is no business of the device
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    place = os.environ.get("DEEPRED_RENDEZVOUS")
    dist.init_process_group(backend, init_method=place or "env://", rank=rank, world_size=size, timeout=PATIENCE)
    try:
        yield Ranks(rank, size)
    finally:
        dist.destroy_process_group()


def shard(whole: nn.Module, layers: Sequence[nn.Module], ranks: Ranks, device: torch.device, is_mixed: bool) -> None:
    """Shard a module over the ranks, layer by layer; with ``is_mixed`` products run in bfloat16, sums in float32."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    mesh = init_device_mesh(device.type, (ranks.size,))
    policy = MixedPrecisionPolicy(torch.bfloat16, torch.float32) if is_mixed else MixedPrecisionPolicy()
    for layer in layers:
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    fully_shard(whole, mesh=mesh, mp_policy=policy)


def whole_of(tensor: Tensor) -> Tensor:
    """A tensor with all its shards, on the CPU; every rank must ask."""
    full = cast("Any", tensor).full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return full.detach().cpu().contiguous()


def put(source: Tensor, target: Tensor) -> None:
    """Copy a whole tensor into one that may be sharded."""
    with torch.no_grad():
        target.copy_(placed(source, target))


def placed(source: Tensor, like: Tensor) -> Tensor:
    """A whole tensor on the device of another and sharded like it; always memory of its own."""
    source = source.to(like.device, copy=True)
    if not hasattr(like, "full_tensor"):
        return source
    from torch.distributed.tensor import distribute_tensor

    sharded = cast("Any", like)
    return distribute_tensor(source, sharded.device_mesh, sharded.placements, src_data_rank=None)
