"""The run file: one TOML that names everything which changes a result. What it holds is hashed into stage keys.

Every section is the configuration of the stage of the same name. A path in a ``Sources`` list may be a glob and may
start with a prefix: ``world:`` (a file of the generated world), ``samples:`` (below ``DEEPRED_SAMPLES``),
``downloads:`` (below the data folder's ``downloads``), ``persona:`` (a persona that ships with the package).
"""

from deepred.run.arm_names import ARMS, Arm
from deepred.run.config.asked import Asked, Judge, Llm, SecondLook, Teacher
from deepred.run.config.base import EXTERNAL, HOW, Section, Sources
from deepred.run.config.corpus_sections import Doses, Mixture, Probes, Shards, Tokenizer
from deepred.run.config.dating_sections import Dates, Facts
from deepred.run.config.evaluate_sections import Capability, Evaluate, Interview, Relearn, Report, Twins
from deepred.run.config.export_sections import Gguf, Quantization
from deepred.run.config.filter_sections import Audit, Classes, Emergence, Passages
from deepred.run.config.persona_sections import Augment, Examples
from deepred.run.config.run_file import Run, explain, load_run, section_keys, section_model
from deepred.run.config.sources_sections import Articles, Books, Chess, Topics, World
from deepred.run.config.train_sections import Continued, Model, Pretrain, Sft

__all__ = [
    "ARMS", "EXTERNAL", "HOW", "Arm", "Articles", "Asked", "Audit", "Augment", "Books", "Capability", "Chess",
    "Classes", "Continued", "Dates", "Doses", "Emergence", "Evaluate", "Examples", "Facts", "Gguf", "Interview",
    "Judge", "Llm", "Mixture", "Model", "Passages", "Pretrain", "Probes", "Quantization", "Relearn", "Report",
    "Run", "SecondLook", "Section", "Sft", "Shards", "Sources", "Teacher", "Tokenizer", "Topics", "Twins",
    "World", "explain", "load_run", "section_keys", "section_model",
]  # fmt: skip
