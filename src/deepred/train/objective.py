"""The loss of sequences as one module: trunk, head, attention and chunked cross-entropy; it is what ranks share."""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor, nn

from deepred.train.loss import chunked_cross_entropy
from deepred.train.model import hidden_states


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
