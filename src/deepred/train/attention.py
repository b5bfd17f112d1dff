"""What a token sees: all before it in its sequence, or only its own document; without a look at the device.

``transformers`` looks for packed sequences in the positions of every batch, which waits for the device, and under
``torch.compile`` it always makes a mask, which keeps the fast kernels away. So the attention here stands under a name
of its own (a documented extension point), for which no mask is made: causal by the kernel's flag, or a mask given.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention.flex_attention import BlockMask, create_block_mask

from deepred.base.errors import UserError

NAME = "deepred"
LEAK = 1e-4
"""Change of a document's states over that of its neighbour's which still counts as rounding (on a CPU it is zero)."""
MASKED_LENGTH = 16
"""Tokens of the sequence that tries whether a model keeps documents apart."""


def use_own_attention(model: Any, sequence: int) -> bool:
    """Let a model attend as this module says; False where its own way is needed (windows, no common interface)."""
    from transformers import AttentionInterface

    config = model.config
    if getattr(config, "_attn_implementation", "") != "sdpa" or _has_window(config, sequence):
        return False
    AttentionInterface.register(NAME, _attend)
    model.set_attn_implementation(NAME)
    return config._attn_implementation == NAME


def _has_window(config: Any, sequence: int) -> bool:
    """Whether some layer sees less than the whole sequence before it."""
    window = getattr(config, "sliding_window", None)
    return bool(window) and window < sequence and getattr(config, "use_sliding_window", True)


def _attend(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Any, **more: Any) -> Any:
    from transformers.integrations.flex_attention import flex_attention_forward
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    attend: Any = flex_attention_forward if isinstance(mask, BlockMask) else sdpa_attention_forward
    return attend(module, query, key, value, mask, **more)


def documents_apart(ids: Tensor, separator: int, blocks: bool = False) -> dict[str, Any]:
    """What keeps the documents of sequences apart: a mask, and positions that begin anew after each separator.

    The mask is (sequences, 1, length, length), True where attended; or, with ``blocks``, flex attention's, which skips
    what no token of a block sees.
    """
    count, length = ids.shape
    ends = (ids == separator).long()
    document = ends.cumsum(1) - ends  # the separator itself still belongs to the document that it ends
    place = torch.arange(length, device=ids.device)
    begins = torch.nn.functional.pad(ends[:, :-1], (1, 0)) * place
    positions = place - begins.cummax(1).values
    if not blocks:
        same = document[:, :, None] == document[:, None, :]
        return {"attention_mask": (same & (place[:, None] >= place))[:, None], "position_ids": positions}

    def sees(row: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (query >= key) & (document[row, query] == document[row, key])

    made = create_block_mask(sees, count, None, length, length, device=ids.device, _compile=True)
    return {"attention_mask": made, "position_ids": positions}


def choose_blocks(trunk: nn.Module, separator: int, device: torch.device, sequence: int) -> bool:
    """Whether document attention runs by blocks (on a GPU where that works); a model that leaks is refused.

    Tried on the model itself: what a document's states are must not depend on the document before it.
    """
    if device.type == "cuda":
        try:
            if _keeps_apart(trunk, separator, device, sequence, blocks=True):
                return True
        except (RuntimeError, ValueError, TypeError, NotImplementedError):
            pass  # the kernels of flex attention do not run everywhere; the plain mask does
    try:
        if _keeps_apart(trunk, separator, device, min(MASKED_LENGTH, sequence), blocks=False):
            return False
    except (RuntimeError, ValueError, TypeError):
        pass
    raise UserError(
        f"{type(trunk).__name__} cannot keep documents apart: it takes no mask or no positions of its own",
        'set pretrain.attention to "causal"',
    )


@torch.no_grad()
def _keeps_apart(trunk: nn.Module, separator: int, device: torch.device, length: int, blocks: bool) -> bool:
    """Whether the states of a sequence's second document are the same after another first document."""
    half = length // 2
    ids = torch.full((2, length), 1 if separator != 1 else 0, device=device)
    ids[1, : half - 1] = 3 if separator != 3 else 2
    ids[:, half - 1] = separator
    was_training = trunk.training
    trunk.eval()
    try:
        states = trunk(input_ids=ids, use_cache=False, **documents_apart(ids, separator, blocks)).last_hidden_state
    finally:
        trunk.train(was_training)
    first, second = (states[0, part] - states[1, part] for part in (slice(0, half), slice(half, None)))
    return bool(second.abs().max() <= LEAK * first.abs().max())
