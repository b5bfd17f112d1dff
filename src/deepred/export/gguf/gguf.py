"""Stage ``gguf``: the merged model as files that llama.cpp, LM Studio and Ollama open, published only if gates pass.

In: ``merge/model`` (a Hugging Face folder) and the examples' ``persona.json``. Out: one ``.gguf`` a quantization,
``Modelfile`` (for the file that chats; ``Modelfile-Q8_0`` and so on for each), ``README.md``, ``gates.json``,
``release.json`` (what a card says) and ``chat.json`` (the file that ``deepred chat`` opens).
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.days import Day, format_day
from deepred.base.errors import FaultError, UserError
from deepred.base.files import replaced, write_text
from deepred.export.gguf import gates
from deepred.export.gguf.gates import Conversation, Gate, Reference, varied_strings
from deepred.export.gguf.llama_library import open_model
from deepred.export.gguf.quantize import file_type, pack, tensor_type
from deepred.export.gguf.tensors import Shape, read_shape, read_tensors, write_shape
from deepred.export.gguf.vocabulary import Vocabulary, read_vocabulary, write_vocabulary
from deepred.export.llama_server import open_llama
from deepred.export.publish.card import (
    ORGANIZATION,
    Facts,
    Release,
    read_sources,
    size_label,
    write_card,
    write_modelfile,
)
from deepred.run.config import Gguf
from deepred.run.stage import Counts, Work

if TYPE_CHECKING:
    from gguf import GGUFWriter

GATE_CONVERSATIONS = 8
"""Conversations whose template and answers are checked."""
GATE_CONTEXT = 2048
"""Tokens of context in which a file is checked at most."""


def export_gguf(
    *, merge: Path, examples: Path, config: Gguf, cutoff: Day, out: Path, work: Work, mixture: Path | None = None
) -> Counts:
    """Write every quantization, prove each in llama.cpp, and publish those files with card and Modelfile."""
    if config.chat not in config.quantizations:
        raise UserError(f"gguf.chat = {config.chat} is not among gguf.quantizations", "name one of them")
    folder = merge / "model"
    shape = read_shape(folder)
    vocabulary = read_vocabulary(folder, shape.vocabulary)
    persona = json.loads((examples / "persona.json").read_text(encoding="utf-8"))
    release = Release(
        name="".join(persona["name"].split()),
        size=size_label(_parameters(folder, shape)),
        cutoff=cutoff,
        persona=persona["name"],
        system_prompt=persona["system_prompt"],
        licence=config.licence,
        language=config.language,
        sources=read_sources(mixture) if mixture else (),
    )
    counts = Counts()
    passed: list[Gate] = []
    conversations = _read_conversations(examples)
    for number, quantization in enumerate(config.quantizations):
        work.report(counts, number, len(config.quantizations), quantization)
        path = out / release.file_name(quantization)
        with replaced(path) as partial:
            write_gguf(folder, partial, quantization, shape, vocabulary, release)
            results = list(
                check_file(partial, path.name, folder, shape, vocabulary, conversations, config.gate_strings, work)
            )
            gates.require(results)
        passed += results
        modelfile = write_modelfile(f"./{path.name}", release.system_prompt, shape.context, release.licence)
        write_text(out / f"Modelfile-{quantization}", modelfile)
        if quantization == config.chat:
            write_text(out / "Modelfile", modelfile)
        counts.add("files")
        counts.add("bytes", path.stat().st_size)
    rows = [gate.to_json() for gate in passed]
    counts.notes |= {"gates": rows, "chat": release.file_name(config.chat)}
    sizes = {name: (out / name).stat().st_size for name in map(release.file_name, config.quantizations)}
    facts = Facts(describe(shape), sizes, rows, persona.get("kinds", {}))
    write_text(out / "README.md", write_card(release, facts))
    write_text(out / "gates.json", json.dumps(rows, indent=1) + "\n")
    write_text(out / "release.json", json.dumps({"release": asdict(release), "facts": asdict(facts)}, indent=1) + "\n")
    write_text(out / "chat.json", json.dumps({"file": counts.notes["chat"], "persona": release.persona}) + "\n")
    return counts


def describe(shape: Shape) -> dict[str, Any]:
    """A model's shape in words, for its card."""
    return {
        "layers": shape.layers,
        "width": shape.width,
        "heads": shape.heads,
        "key-value heads": shape.kv_heads,
        "vocabulary": shape.vocabulary,
        "context": shape.context,
    }


def write_gguf(
    folder: Path, path: Path, quantization: str, shape: Shape, vocabulary: Vocabulary, release: Release
) -> None:
    """Write one GGUF file; the same model gives the same bytes."""
    from gguf import GGML_QUANT_VERSION, GGUFWriter

    writer = GGUFWriter(path, "llama")
    _write_release(writer, release)
    writer.add_file_type(file_type(quantization))
    writer.add_quantization_version(GGML_QUANT_VERSION)
    write_shape(writer, shape)
    write_vocabulary(writer, vocabulary)
    for name, values in read_tensors(folder, shape):
        kind = tensor_type(name, values.shape, quantization, shape)
        writer.add_tensor(name, pack(name, values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_release(writer: GGUFWriter, release: Release) -> None:
    """Write what the model is and where it comes from, in llama.cpp's general keys and in our own."""
    writer.add_type("model")
    writer.add_name(f"{release.persona} {release.size}")
    writer.add_organization(ORGANIZATION)
    writer.add_basename(release.name)
    writer.add_finetune("chat")
    writer.add_version(format_day(release.cutoff))
    writer.add_size_label(release.size)
    writer.add_description(release.description)
    writer.add_license(release.licence)
    writer.add_languages([release.language])
    writer.add_tags(["text-generation", "deepred", "time-locked"])
    if release.sources:
        writer.add_dataset_count(len(release.sources))
    for number, source in enumerate(release.sources):
        writer.add_dataset_name(number, source.name)
        writer.add_dataset_description(number, f"{source.share:.1%} of the tokens; {source.licence}")
    writer.add_string("deepred.cutoff", format_day(release.cutoff))
    writer.add_string("deepred.persona", release.persona)
    writer.add_string("deepred.system_prompt", release.system_prompt)


def check_file(
    path: Path,
    name: str,
    folder: Path,
    shape: Shape,
    vocabulary: Vocabulary,
    conversations: list[Conversation],
    strings: int,
    work: Work,
) -> list[Gate]:
    """Every gate of one file, measured in llama.cpp."""
    reference = Reference.of(folder)
    texts = [message["content"] for messages in conversations for message in messages]
    prompts = [messages[:-1] for messages in conversations[:GATE_CONVERSATIONS]]
    special = [vocabulary.tokens[number] for number in vocabulary.control()]
    length, threads = min(shape.context, GATE_CONTEXT), work.settings.threads
    with open_llama(path, context=length, threads=threads) as llama, open_model(path, length, threads) as model:
        varied = varied_strings(texts, special, strings)
        ids = [reference.rendered(messages) for messages in conversations]
        others = [reference.ids(text) for text in varied]
        mixed = [text for pair in zip_longest(ids, others, fillvalue=[]) for text in pair if text]
        fitting = [messages for messages in prompts if len(reference.rendered(messages, opens=True)) < length]
        return [
            *gates.tokenizer_gates(model, name, reference, varied, special),
            *gates.template_gates(llama, model, name, reference, prompts),
            *gates.answer_gates(llama, name, fitting or prompts[:1], vocabulary.end_of_turn, vocabulary.control()),
            *gates.parity_gates(model, name, path, folder, mixed, shape),
        ]


def _read_conversations(examples: Path) -> list[Conversation]:
    """The first conversations of the validation split and of the training split."""
    conversations: list[Conversation] = []
    for name in ("validation.jsonl", "train.jsonl"):
        with (examples / name).open(encoding="utf-8") as file:
            for line, _ in zip(file, range(50 * GATE_CONVERSATIONS)):
                conversations.append(json.loads(line)["messages"])
    if not conversations:
        raise FaultError(f"{examples} holds no examples", "the gates need conversations")
    return conversations


def _parameters(folder: Path, shape: Shape) -> int:
    return sum(math.prod(values.shape) for _, values in read_tensors(folder, shape))
