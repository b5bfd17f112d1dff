"""The texts beside a GGUF file: the model card (README.md) and the Modelfile for Ollama."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deepred.documents import Day, format_day
from deepred.export.gates import Gate
from deepred.export.tensors import Shape


@dataclass(frozen=True)
class Release:
    """What is said about a model wherever it is published."""

    name: str
    size: str
    cutoff: Day
    persona: str
    system_prompt: str
    licence: str

    def file_name(self, quantization: str) -> str:
        """``DeepRed-0.7M-1969-07-20-F16.gguf``."""
        return f"{self.name}-{self.size}-{format_day(self.cutoff)}-{quantization}.gguf"


def size_label(parameters: int) -> str:
    """The number of parameters as file names give it.

    >>> size_label(651_000), size_label(361_821_120), size_label(1_100_000_000)
    ('0.7M', '362M', '1.1B')
    """
    unit, letter = (1e9, "B") if parameters >= 999_500_000 else (1e6, "M")
    number = parameters / unit
    return f"{number:.0f}{letter}" if number >= 9.95 else f"{number:.1f}{letter}"


def write_modelfile(release: Release, file: str, shape: Shape) -> str:
    """Ollama's Modelfile, with the ChatML template spelled out: Ollama does not run the file's own."""
    return f'''FROM ./{file}
TEMPLATE """{{{{- range .Messages }}}}<|im_start|>{{{{ .Role }}}}
{{{{ .Content }}}}<|im_end|>
{{{{ end }}}}<|im_start|>assistant
"""
SYSTEM """{release.system_prompt}"""
PARAMETER stop "<|im_end|>"
PARAMETER temperature 0.3
PARAMETER num_ctx {shape.context}
LICENSE """{release.licence}"""
'''


def write_card(
    release: Release, shape: Shape, files: dict[str, int], gates: list[Gate], examples: dict[str, Any]
) -> str:
    """The model card in Markdown with the hub's front matter."""
    cutoff = format_day(release.cutoff)
    rows = "\n".join(f"| `{name}` | {size / 1e6:.1f} MB |" for name, size in files.items())
    checks = "\n".join(
        f"| {gate.name} | `{gate.file}` | {gate.value:.3g} | {gate.limit:g} | {'yes' if gate.passed else 'no'} |"
        for gate in gates
    )
    kinds = ", ".join(f"{name} {count}" for name, count in sorted(examples.items()))
    return f"""---
license: {release.licence}
language: [en]
library_name: gguf
pipeline_tag: text-generation
tags: [deepred, time-locked, llama]
---

# {release.persona}, {release.size} parameters, knowledge to the day before {cutoff}

A language model trained only on text that could have been written before {cutoff}, the first day that it must not
know, and fine-tuned to converse as {release.persona}. How much later knowledge is left is measured, not assumed: see
the run's report for the audit's bound and the comparison with a model trained on unfiltered text.

| file | size |
|---|---|
{rows}

## Shape

Llama architecture, {shape.layers} layers, width {shape.width}, {shape.heads} heads ({shape.kv_heads} for keys and
values), vocabulary {shape.vocabulary}, context {shape.context} tokens. Chat format: ChatML. System prompt used in
fine-tuning:

> {release.system_prompt}

Instruction examples by kind: {kinds or "none"}.

## Checks on the files, in llama.cpp

| check | file | value | limit | passed |
|---|---|---|---|---|
{checks}

## Intended use and limits

For research on time-locked models, teaching and play. It is not a source of facts: a small model errs often, knows
nothing of later events by design, and reflects the views and errors of its sources and of their time.
"""
