"""The section of the export."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from deepred.run.config.base import Section

Quantization = Literal["F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M"]


class Gguf(Section):
    """Export for llama.cpp, LM Studio and Ollama."""

    quantizations: list[Quantization] = Field(default=["F16", "Q8_0"], description="Files to write.")
    chat: Quantization = Field(default="Q8_0", description="The file that `deepred chat` opens.")
    gate_strings: int = Field(default=1000, ge=1, description="Strings whose token ids must be equal in llama.cpp.")
    licence: str = Field(
        default="cc-by-sa-4.0",
        description="Licence of the weights, as hubs name it; Wikipedia's text asks for this one.",
    )
    language: str = Field(default="en", description="Language of the model, as hubs name it.")
