"""A GGUF file in llama.cpp's C interface (through ctypes): token ids, and the logits at every position of a text.

The server tells the probabilities of one position a request, as text; a gate needs all of a thousand positions.
The parameter structures grow with llama.cpp's versions, so only their first fields are set, whose defaults are
checked before; the rest stays as the library's own defaults fill it.
"""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepred.base.errors import FaultError, UserError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FUNCTIONS = (
    "llama_backend_init", "llama_log_set", "llama_model_default_params", "llama_context_default_params",
    "llama_model_load_from_file", "llama_model_free", "llama_init_from_model", "llama_free", "llama_set_n_threads",
    "llama_n_ctx", "llama_model_get_vocab", "llama_vocab_n_tokens", "llama_tokenize", "llama_batch_init",
    "llama_batch_free", "llama_decode", "llama_get_logits", "llama_get_memory", "llama_memory_clear",
)  # fmt: skip
CONTEXT_DEFAULTS = [512, 2048, 512]
"""The defaults of ``n_ctx``, ``n_batch`` and ``n_ubatch``, by which the layout of the structure is recognised."""
PARAMETERS = 256
"""Room for a parameter structure, in four-byte words: several times what the library's are."""

_int = ctypes.c_int32
_pointer = ctypes.POINTER


WITHOUT_OPENMP = "on Debian and Ubuntu: apt install libgomp1"


def load_openmp() -> None:
    """Load what xllamacpp needs and does not bring: the system's libgomp, or PyTorch's where a bare system has none."""
    spec = importlib.util.find_spec("torch")
    folders = spec.submodule_search_locations or [] if spec else []
    for name in ("libgomp.so.1", *(str(path) for folder in folders for path in Path(folder).glob("lib/libgomp.so*"))):
        with suppress(OSError):
            ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
            return


def import_xllamacpp() -> Any:
    """The module xllamacpp, which is compiled and has no types; ``UserError`` where it is not there or not loaded."""
    load_openmp()
    try:
        import xllamacpp
    except ModuleNotFoundError:
        raise UserError("xllamacpp is not installed", "pip install deepred[gguf]") from None
    except ImportError as error:
        raise UserError(f"xllamacpp cannot be loaded: {error}", WITHOUT_OPENMP) from None
    return xllamacpp


@cache
def native(*functions: str) -> Any:
    """The library; ``UserError`` where it or one of the named functions is not there."""
    folder = Path(import_xllamacpp().__file__).parent
    library = ctypes.CDLL(str(min(folder.glob("xllamacpp*.so"))))
    for name in functions:
        if not hasattr(library, name):
            raise UserError(f"this xllamacpp does not bring {name}", "install the version in constraints.txt")
    return library


class _Parameters(ctypes.Structure):
    """``llama_model_params`` or ``llama_context_params``: as words, since only the first ones are ours to set."""

    _fields_ = [("words", _int * PARAMETERS)]


class _Batch(ctypes.Structure):
    """``llama_batch``."""

    _fields_ = [
        ("n_tokens", _int),
        ("token", _pointer(_int)),
        ("embd", ctypes.c_void_p),
        ("pos", _pointer(_int)),
        ("n_seq_id", _pointer(_int)),
        ("seq_id", _pointer(_pointer(_int))),
        ("logits", _pointer(ctypes.c_int8)),
    ]


_LOG = ctypes.CFUNCTYPE(None, _int, ctypes.c_char_p, ctypes.c_void_p)
_silent = _LOG(lambda level, text, data: None)  # kept alive here: the library holds on to it


@dataclass(frozen=True)
class NativeModel:
    """A GGUF file loaded by ``open_model``."""

    library: Any
    vocabulary: Any
    context: Any
    batch: Any
    length: int

    def tokenize(self, text: str, add_special: bool = False, parse_special: bool = True) -> list[int]:
        """Token ids of a text; special tokens are added as the file says, and recognised in the text, where wished."""
        data = text.encode()
        room = len(data) + 8
        ids = (_int * room)()
        found = self.library.llama_tokenize(self.vocabulary, data, len(data), ids, room, add_special, parse_special)
        if found < 0:
            raise FaultError(f"llama.cpp could not tokenize {text[:40]!r}")
        return list(ids[:found])

    def logits(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """The logits after every token of a text that fits the context; shape (tokens, vocabulary)."""
        import numpy as np

        if not 0 < len(ids) <= self.length:
            raise FaultError(f"{len(ids)} tokens do not fit the {self.length} of the context")
        batch = self.batch
        batch.n_tokens = len(ids)
        for place, token in enumerate(ids):
            batch.token[place], batch.pos[place] = token, place
            batch.n_seq_id[place], batch.seq_id[place][0], batch.logits[place] = 1, 0, 1
        self.library.llama_memory_clear(self.library.llama_get_memory(self.context), True)
        status = self.library.llama_decode(self.context, batch)
        if status:
            raise FaultError(f"llama.cpp could not evaluate {len(ids)} tokens (llama_decode returned {status})")
        size = self.library.llama_vocab_n_tokens(self.vocabulary)
        found = self.library.llama_get_logits(self.context)
        return np.ctypeslib.as_array(found, (len(ids), size)).copy()


@contextmanager
def open_model(path: Path, length: int, threads: int = 0) -> Generator[NativeModel]:
    """A GGUF file with a context of so many tokens, while the block runs."""
    library = _declared()
    parameters = library.llama_context_default_params()
    if list(parameters.words[:3]) != CONTEXT_DEFAULTS:
        raise FaultError("this xllamacpp's parameters are laid out otherwise", "install the version in constraints.txt")
    model = library.llama_model_load_from_file(str(path).encode(), library.llama_model_default_params())
    if not model:
        raise FaultError(f"llama.cpp cannot load {path}", "the file is damaged or of another kind")
    try:
        parameters.words[0] = parameters.words[1] = parameters.words[2] = length
        context = library.llama_init_from_model(model, parameters)
        if not context or library.llama_n_ctx(context) < length:
            raise FaultError(f"llama.cpp cannot make a context of {length} tokens for {path}")
        if threads:
            library.llama_set_n_threads(context, threads, threads)
        batch = library.llama_batch_init(length, 0, 1)
        try:
            yield NativeModel(library, library.llama_model_get_vocab(model), context, batch, length)
        finally:
            library.llama_batch_free(batch)
            library.llama_free(context)
    finally:
        library.llama_model_free(model)


def _declared() -> Any:
    """The library, its functions' types declared and its log silenced."""
    library = native(*FUNCTIONS)
    handle = ctypes.c_void_p
    declared: dict[str, tuple[list[Any], Any]] = {
        "llama_log_set": ([_LOG, handle], None),
        "llama_model_default_params": ([], _Parameters),
        "llama_context_default_params": ([], _Parameters),
        "llama_model_load_from_file": ([ctypes.c_char_p, _Parameters], handle),
        "llama_model_free": ([handle], None),
        "llama_init_from_model": ([handle, _Parameters], handle),
        "llama_free": ([handle], None),
        "llama_set_n_threads": ([handle, _int, _int], None),
        "llama_n_ctx": ([handle], ctypes.c_uint32),
        "llama_model_get_vocab": ([handle], handle),
        "llama_vocab_n_tokens": ([handle], _int),
        "llama_tokenize": (
            [handle, ctypes.c_char_p, _int, _pointer(_int), _int, ctypes.c_bool, ctypes.c_bool],
            _int,
        ),
        "llama_batch_init": ([_int, _int, _int], _Batch),
        "llama_batch_free": ([_Batch], None),
        "llama_decode": ([handle, _Batch], _int),
        "llama_get_logits": ([handle], _pointer(ctypes.c_float)),
        "llama_get_memory": ([handle], handle),
        "llama_memory_clear": ([handle, ctypes.c_bool], None),
        "llama_backend_init": ([], None),
    }
    for name, (arguments, result) in declared.items():
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, result
    library.llama_log_set(_silent, None)
    library.llama_backend_init()
    return library
