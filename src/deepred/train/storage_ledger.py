"""The storages that come to be and go in a traced step: how much was held when most was, and what it was for."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


@dataclass
class Marks:
    """Where the parts of a step end: in storages that had come to be, and in events."""

    forward: int = 0
    loss: int = 0
    loss_events: int = 0
    layer_events: int = 0
    """When the last layer's backward pass was done."""


class Ledger(TorchDispatchMode):
    """Every storage that comes to be while this is entered, and its end; the weights are known and not counted."""

    def __init__(self, weights: Iterable[Tensor]) -> None:
        super().__init__()
        self.events: list[tuple[int, int]] = []
        """(number of the storage, bytes gained or, negative, released), in order."""
        self.count = 0
        self._numbers: weakref.WeakKeyDictionary[torch.UntypedStorage, int] = weakref.WeakKeyDictionary()
        for tensor in weights:
            self._numbers[tensor.untyped_storage()] = 0
            if tensor.grad is not None:
                self._numbers[tensor.grad.untyped_storage()] = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(found):
            if isinstance(leaf, Tensor):
                self._note(leaf.untyped_storage())
        return found

    def _note(self, storage: torch.UntypedStorage) -> None:
        if storage in self._numbers:
            return
        self.count += 1
        size = storage.nbytes()
        self._numbers[storage] = self.count
        self.events.append((self.count, size))
        weakref.finalize(storage, self.events.append, (self.count, -size)).atexit = False

    def number(self, tensor: Tensor) -> int:
        """The number of a tensor's storage; 0 for one that was there before."""
        return self._numbers[tensor.untyped_storage()]

    def peaks(self, marks: Marks, gradients: set[int]) -> list[tuple[int, int, int, int]]:
        """(gradients, activations, logits, workspace) when most was held, in each part of the step."""
        held, found = [0, 0, 0, 0], [(0, 0, 0, 0)] * 3
        for index, (number, size) in enumerate(self.events):
            kind = 0 if number in gradients else 1 if number <= marks.forward else 2 if number <= marks.loss else 3
            held[kind] += size
            part = int(index >= marks.loss_events) + int(index >= max(marks.loss_events, marks.layer_events))
            if sum(held) > sum(found[part]):
                found[part] = (held[0], held[1], held[2], held[3])
        return found
