"""Stage ``gguf``: the merged model as files that llama.cpp, LM Studio and Ollama open, published only if gates pass.

In: ``merge/model`` (a Hugging Face folder) and the examples' ``persona.json``. Out: one ``.gguf`` a quantization,
``Modelfile``, ``README.md``, ``gates.json`` and ``chat.json`` (the file that ``deepred chat`` opens).
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from deepred.config import Gguf
from deepred.documents import Day, format_day
from deepred.errors import FaultError, UserError
from deepred.export import gates
from deepred.export.card import Release, size_label, write_card, write_modelfile
from deepred.export.gates import Gate
from deepred.export.llama import open_llama
from deepred.export.quantize import file_type, pack, tensor_type
from deepred.export.tensors import Shape, read_shape, read_tensors, write_shape
from deepred.export.vocabulary import Vocabulary, read_vocabulary, write_vocabulary
from deepred.stage import Counts, Work

GATE_CONVERSATIONS = 8
"""Conversations whose template, answers and log-probabilities are compared."""

Conversation = list[dict[str, str]]


def export_gguf(*, merge: Path, examples: Path, config: Gguf, cutoff: Day, out: Path, work: Work) -> Counts:
    """Write every quantization, prove each in llama.cpp, and publish those files with card and Modelfile."""
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
    )
    if config.chat not in config.quantizations:
        raise UserError(f"gguf.chat = {config.chat} is not among gguf.quantizations", "name one of them")
    counts = Counts()
    passed: list[Gate] = []
    conversations = _read_conversations(examples)
    for number, quantization in enumerate(config.quantizations):
        work.report(counts, number, len(config.quantizations), quantization)
        path = out / release.file_name(quantization)
        partial = path.with_name(path.name + ".tmp")
        write_gguf(folder, partial, quantization, shape, vocabulary, release)
        results = list(
            check_file(partial, path.name, folder, shape, vocabulary, conversations, config.gate_strings, work)
        )
        _publish(partial, path, results)
        passed += results
        counts.add("files")
        counts.add("bytes", path.stat().st_size)
    rows = [gate.to_json() for gate in passed]
    counts.notes["gates"] = rows
    chat_file = release.file_name(config.chat)
    counts.notes["chat"] = chat_file
    sizes = {name: (out / name).stat().st_size for name in map(release.file_name, config.quantizations)}
    _write(out / "Modelfile", write_modelfile(release, chat_file, shape))
    _write(out / "README.md", write_card(release, shape, sizes, passed, persona.get("kinds", {})))
    _write(out / "gates.json", json.dumps(rows, indent=1) + "\n")
    _write(out / "chat.json", json.dumps({"file": chat_file, "persona": release.persona}) + "\n")
    return counts


def write_gguf(
    folder: Path, path: Path, quantization: str, shape: Shape, vocabulary: Vocabulary, release: Release
) -> None:
    """Write one GGUF file; the same model gives the same bytes."""
    from gguf import GGUFWriter

    writer = GGUFWriter(path, "llama")
    writer.add_type("model")
    writer.add_name(f"{release.persona} {release.size}")
    writer.add_basename(release.name)
    writer.add_size_label(release.size)
    writer.add_license(release.licence)
    writer.add_languages(["en"])
    writer.add_file_type(file_type(quantization))
    writer.add_quantization_version(2)
    write_shape(writer, shape)
    write_vocabulary(writer, vocabulary)
    writer.add_string("deepred.cutoff", format_day(release.cutoff))
    writer.add_string("deepred.persona", release.persona)
    writer.add_string("deepred.system_prompt", release.system_prompt)
    for name, values in read_tensors(folder, shape):
        kind = tensor_type(name, values.shape, quantization, shape)
        writer.add_tensor(name, pack(name, values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


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
    from tokenizers import Tokenizer

    tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    texts = [message["content"] for messages in conversations for message in messages]
    prompts = [messages[:-1] for messages in conversations[:GATE_CONVERSATIONS]]
    with open_llama(path, threads=work.settings.threads) as llama:
        ids = [
            llama.tokenize(llama.render(messages) + " " + text, special=True) for messages, text in zip(prompts, texts)
        ]
        prompts_that_fit = [
            messages for messages, tokens in zip(prompts, ids) if len(tokens) < shape.context
        ] or prompts[:1]
        return [
            *gates.tokenizer_gates(llama, name, tokenizer, gates.varied_strings(texts, strings)),
            *gates.template_gates(llama, name, folder, prompts),
            *gates.answer_gates(llama, name, prompts_that_fit, vocabulary.end_of_turn, vocabulary.control()),
            *gates.parity_gates(llama, name, path, folder, ids, shape),
        ]


def _publish(partial: Path, path: Path, results: list[Gate]) -> None:
    """Give the file its name if all gates passed; else remove it and say which did not."""
    try:
        gates.require(results)
    except FaultError:
        partial.unlink()
        raise
    partial.replace(path)


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


def _write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".tmp")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def read_metadata(path: Path) -> dict[str, Any]:
    """The scalar and text metadata of a GGUF file by key, ``deepred.*`` among it."""
    from gguf import GGUFReader

    try:
        fields = GGUFReader(path).fields
    except (ValueError, IndexError, KeyError) as error:
        raise FaultError(f"{path} is damaged: {error}", "make or copy it again") from None
    return {key: field.contents() for key, field in fields.items() if len(field.data) == 1}
