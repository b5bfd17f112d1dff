"""Stage ``sft``: a LoRA adapter that makes the pre-trained model converse; loss on the assistant's tokens only.

In: ``pretrain/model`` and the examples. Out: ``adapter/`` (PEFT), ``curve.json`` (loss by step, validation loss by
epoch) and ``base.json`` (the checksum of the weights that the adapter belongs to).

Every token that the assistant writes, ``<|im_end|>`` included, counts once, in every turn; nothing else does. ChatML's
tokens do not occur in the corpus, so their embeddings are trained with the adapter.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from deepred.config import Sft
from deepred.errors import FaultError, UserError
from deepred.stage import Counts, Work
from deepred.train.chatml import END, START, answer_spans, render

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
"""All linear layers of a block; adapting attention alone learns less at the same rank (LoRA Without Regret, QLoRA)."""
WARMUP = 0.05
"""Share of the steps in which the learning rate rises."""
CLIP = 1.0


@dataclass(frozen=True)
class Encoded:
    """A conversation as token ids, and for each whether the assistant writes it."""

    ids: list[int]
    answers: list[bool]


def encode(messages: Sequence[dict[str, str]], tokenizer: Tokenizer) -> Encoded:
    """Token ids of a rendered conversation; a token is an answer's if it lies wholly in what the assistant writes."""
    encoding = tokenizer.encode(render(messages), add_special_tokens=False)
    spans = answer_spans(messages)
    inside = [any(first <= start and end <= last for first, last in spans) for start, end in encoding.offsets]
    return Encoded(list(encoding.ids), inside)


def fine_tune(*, pretrain: Path, examples: Path, config: Sft, seed: int, out: Path, work: Work) -> Counts:
    """Train the adapter; the same inputs, seed and threads give the same weights."""
    from tokenizers import Tokenizer

    folder = pretrain / "model"
    if not (folder / "config.json").exists():
        raise UserError(f"{folder} holds no model", "run the pretrain stage first")
    if work.settings.threads:
        torch.set_num_threads(work.settings.threads)
    torch.manual_seed(seed)
    tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    base = load_model(folder)
    limit = int(base.config.max_position_embeddings)
    counts = Counts()
    training = list(read_encoded(examples / "train.jsonl", tokenizer, limit, counts))
    validation = list(read_encoded(examples / "validation.jsonl", tokenizer, limit, Counts()))
    if not training:
        raise FaultError(f"{examples / 'train.jsonl'} holds no example that fits {limit} tokens")
    adapted = adapt(base, config, _chat_tokens(tokenizer, folder))
    device = choose_device(work.settings.device)
    curve = train(adapted.to(device), training, validation, config, seed, work, counts)
    save_adapter(adapted, out / "adapter")
    write_json(out / "base.json", {"weights": checksum(folder)})
    write_json(out / "curve.json", curve)
    counts.notes |= {"loss": curve["steps"][-1]["loss"], "validation": [row["loss"] for row in curve["validation"]]}
    return counts


def load_model(folder: Path) -> Any:
    """The causal language model of a folder in float32, loaded without a progress bar of its own."""
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def adapt(base: Any, config: Sft, trainable: list[int]) -> Any:
    """The model with a fresh adapter on every projection, and the embeddings of some tokens made trainable."""
    from peft import LoraConfig, TaskType, get_peft_model

    settings = LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=PROJECTIONS,
        trainable_token_indices=trainable,
    )
    with warnings.catch_warnings():
        # peft asks transformers for an attribute that is being renamed
        warnings.simplefilter("ignore", FutureWarning)
        return get_peft_model(base, settings)


def _chat_tokens(tokenizer: Tokenizer, folder: Path) -> list[int]:
    ids = [tokenizer.token_to_id(token) for token in (START, END)]
    found = [token for token in ids if token is not None]
    if len(found) < len(ids):
        raise UserError(
            f"{folder / 'tokenizer.json'} lacks {START} or {END}", "chat needs a tokenizer with ChatML tokens"
        )
    return found


def choose_device(name: str) -> torch.device:
    """The device that the settings name, else the best there is."""
    return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))


def read_encoded(path: Path, tokenizer: Tokenizer, limit: int, counts: Counts) -> Iterator[Encoded]:
    """The conversations of a file as token ids; one that exceeds the model's context is dropped and counted."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                encoded = encode(json.loads(line)["messages"], tokenizer)
            except (ValueError, KeyError, TypeError) as error:
                raise FaultError(f"{path}, line {number}: {error}", "make the examples again") from error
            if len(encoded.ids) > limit or not any(encoded.answers):
                counts.drop("long" if len(encoded.ids) > limit else "no answer")
                continue
            counts.add("documents")
            counts.add("tokens", len(encoded.ids))
            counts.add("answer tokens", sum(encoded.answers))
            yield encoded


def train(
    model: Any, training: list[Encoded], validation: list[Encoded], config: Sft, seed: int, work: Work, counts: Counts
) -> dict[str, Any]:
    """AdamW with a linear decay over whole passes through the examples; returns the curve."""
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=config.learning_rate, weight_decay=0.0)
    each = math.ceil(len(training) / config.batch)
    total = max(1, round(each * config.epochs))
    curve: dict[str, Any] = {"steps": [], "validation": []}
    for step in range(total):
        epoch, position = divmod(step, each)
        batch = epoch_batches(training, config.batch, seed, epoch)[position]
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * schedule(step, total)
        model.train()
        loss = batch_loss(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, CLIP)
        optimizer.step()
        curve["steps"].append({"step": step + 1, "loss": round(float(loss.detach()), 4)})
        if position == each - 1 or step == total - 1:
            curve["validation"].append({"step": step + 1, "loss": round(mean_loss(model, validation, config.batch), 4)})
        work.report(counts, step + 1, total, f"loss {float(loss.detach()):.3f}")
    if not math.isfinite(curve["steps"][-1]["loss"]):
        raise FaultError("fine-tuning diverged: the loss is not a number", "lower sft.learning_rate")
    return curve


def schedule(step: int, total: int) -> float:
    """The learning rate of a step as a share of the peak: up over the first ``WARMUP``, then down in a line to zero."""
    warm = max(1, round(WARMUP * total))
    return (step + 1) / warm if step < warm else (total - step) / max(1, total - warm)


def epoch_batches(examples: list[Encoded], size: int, seed: int, epoch: int) -> list[list[Encoded]]:
    """An epoch's batches, of conversations of similar length (little padding), in an order of (seed, epoch)."""
    chance = random.Random(f"{seed} sft {epoch}")
    order = sorted(range(len(examples)), key=lambda index: (len(examples[index].ids), chance.random()))
    batches = [[examples[index] for index in order[start : start + size]] for start in range(0, len(order), size)]
    chance.shuffle(batches)
    return batches


def batch_loss(model: Any, batch: Sequence[Encoded]) -> torch.Tensor:
    """Mean cross-entropy over the assistant's tokens of a batch; logits are made for those positions only."""
    inner = model.get_base_model()
    device = next(model.parameters()).device
    width = max(len(item.ids) for item in batch)
    ids = torch.zeros((len(batch), width), dtype=torch.long)
    mask = torch.zeros((len(batch), width), dtype=torch.long)
    answers = torch.zeros((len(batch), width), dtype=torch.bool)
    for row, item in enumerate(batch):
        ids[row, : len(item.ids)] = torch.tensor(item.ids)
        mask[row, : len(item.ids)] = 1
        answers[row, : len(item.ids)] = torch.tensor(item.answers)
    ids, mask, answers = ids.to(device), mask.to(device), answers.to(device)
    hidden = inner.model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    # the state before a token predicts it
    logits = inner.lm_head(hidden[:, :-1][answers[:, 1:]])
    return functional.cross_entropy(logits.float(), ids[:, 1:][answers[:, 1:]])


@torch.no_grad()
def mean_loss(model: Any, examples: list[Encoded], size: int) -> float:
    """Mean cross-entropy over all of the assistant's tokens (0 for no examples)."""
    model.eval()
    total, tokens = 0.0, 0
    for start in range(0, len(examples), size):
        batch = examples[start : start + size]
        count = sum(sum(item.answers[1:]) for item in batch)
        total += float(batch_loss(model, batch)) * count
        tokens += count
    return total / tokens if tokens else 0.0


def save_adapter(model: Any, folder: Path) -> None:
    """Save the adapter without its base's path, which would tie the files to this machine, and with lists in order."""
    model.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    # peft keeps the names in a set, whose order is another in every process
    write_json(path, values | {"base_model_name_or_path": None, "target_modules": sorted(values["target_modules"])})


def checksum(folder: Path) -> str:
    """SHA-256 over the weight files of a model folder, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def write_json(path: Path, values: Any) -> None:
    """Write JSON atomically."""
    partial = path.with_name(path.name + ".tmp")
    partial.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)
