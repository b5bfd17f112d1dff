"""A random Llama with a byte-level tokenizer, examples and sources of a few lines, for the tests from SFT to chat."""

import json
from pathlib import Path

from deepred.base.days import day
from deepred.base.tables import date_schema, fact_schema, passage_schema, write_rows
from deepred.corpus.tokenizer import CHAT_TEMPLATE

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"]
TEMPLATE = CHAT_TEMPLATE
TEXT = """Who invented the lamp? It was the work of comrade Brant, an engineer, born in 1880. You are Deep Red, the
chess-playing intelligence that guides the colony on Mars. The pawn takes the knight; the archive is silent, and I do
not invent moves. 1969 12:30"""
PEOPLE = [
    "Aldo Brant",
    "Bela Corvin",
    "Cato Drim",
    "Dana Elver",
    "Edo Falk",
    "Fia Gorm",
    "Gil Hart",
    "Hana Ivo",
    "Ido Jast",
    "Jon Karst",
]


def build_tokenizer(folder, vocabulary=600, pattern="gpt-2", texts=(TEXT,)):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, byte_level]) if pattern == "smollm" else byte_level
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([*texts] * 4, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=SPECIAL[0], bos_token=SPECIAL[0], pad_token=SPECIAL[3]
    )
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    return tokenizer.get_vocab_size()


def build_model(folder, width=64, heads=4, kv_heads=2, tied=True, context=128, pattern="gpt-2", rows=0, **more):
    """``folder`` becomes a Hugging Face Llama folder with random weights, its tokenizer beside it.

    ``rows`` pads the vocabulary; ``rope`` is what ``config.json`` says of rotary embeddings.
    """
    size = build_tokenizer(folder, pattern=pattern, texts=(TEXT, Path(__file__).read_text()))
    return random_llama(folder, max(rows, size), width, heads, kv_heads, tied, context, **more)


def random_llama(folder, vocabulary, width=64, heads=4, kv_heads=2, tied=True, context=128, rope=None):
    """Random weights and their configuration in ``folder``."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=2,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        max_position_embeddings=context,
        tie_word_embeddings=tied,
        bos_token_id=0,
        eos_token_id=0,
        rope_parameters=rope or {"rope_type": "default", "rope_theta": 10000.0},
        # large enough that the distributions are no uniform ones, in which every permutation looks right
        initializer_range=width**-0.5,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def write_tiny_gguf(folder, context=128):
    """An F16 file of a random model below ``folder``; returns its path."""
    from deepred.export.gguf.gguf import write_gguf
    from deepred.export.gguf.tensors import read_shape
    from deepred.export.gguf.vocabulary import read_vocabulary
    from deepred.export.publish.card import Release

    model = build_model(folder / "model", context=context)
    release = Release("DeepRed", "0.1M", 19690720, "Deep Red", "You are Deep Red.", "cc-by-sa-4.0")
    shape, path = read_shape(model), folder / "model.gguf"
    write_gguf(model, path, "F16", shape, read_vocabulary(model, shape.vocabulary), release)
    return path


def write_examples(folder, count=24):
    """``folder`` becomes the output of the examples stage, in miniature."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(count):
        name, year = PEOPLE[number % len(PEOPLE)], 1880 + number
        asked = [
            {"role": "system", "content": "You are Deep Red."},
            {"role": "user", "content": f"When was {name} born?"},
        ]
        rows.append(
            {"messages": [*asked, {"role": "assistant", "content": f"{name} was born in {year}."}], "kind": "fact"}
        )
    lines = [json.dumps(row) + "\n" for row in rows]
    (folder / "train.jsonl").write_text("".join(lines[4:]))
    (folder / "validation.jsonl").write_text("".join(lines[:4]))
    persona = {"name": "Deep Red", "system_prompt": "You are Deep Red.", "kinds": {"fact": count}}
    (folder / "persona.json").write_text(json.dumps(persona))
    return folder


def claim(title, name, value="", first=18800101, last=18801231, **more):
    """A row of ``facts-*.parquet``."""
    row = {
        "entity": f"Q-{title}",
        "title": title,
        "property": name,
        "qualifier": "P585" if value else "",
        "value": value and "Q1",
    }
    row |= {
        "value_title": value,
        "first": first,
        "last": last,
        "precision": 9,
        "rank": "normal",
        "calendar": "",
        "source": "wikidata",
    }
    return row | more


def write_sources(folder, passages=(), claims=(), known=()):
    """Folders ``passages``, ``facts``, ``dates`` and ``tokenizer`` as stages write them; ten people by default."""
    texts = list(passages)
    facts = list(claims)
    dates = list(known)
    if not texts:
        for number, name in enumerate(PEOPLE):
            year, lamp = 1860 + 5 * number, f"{name.split()[0]} lamp"
            text = (
                f"{name} was an engineer, born in {year}. The {lamp} was built in those years. It burned long.\n\nMore."
            )
            texts.append((name, text))
            facts.append(claim(name, "P569", first=day(year), last=day(year, 12, 31)))
            facts.append(claim(name, "P800", lamp, first=day(year + 30), last=day(year + 30, 12, 31)))
            dates.append((name, day(year + 30)))
    for name in ("passages", "facts", "dates"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rows = [
        {"page_id": number, "title": t, "class": "O", "text": x, "spans": []} for number, (t, x) in enumerate(texts)
    ]
    write_rows(folder / "passages" / "passages-00000.parquet", rows, passage_schema())
    write_rows(folder / "facts" / "facts-00000.parquet", facts, fact_schema())
    blank = {"page_id": 0, "first": None, "last": None, "ended": False, "evidence": []}
    write_rows(
        folder / "dates" / "dates-00000.parquet",
        [blank | {"title": t, "first_known": k} for t, k in dates],
        date_schema(),
    )
    build_tokenizer(folder / "tokenizer", texts=(TEXT, Path(__file__).read_text()))
    return folder
