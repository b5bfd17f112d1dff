"""What this machine can do for a run: findings, each with a level and, where something is amiss, its mend.

A finding is ``ok``, a ``note`` (works, but not as well as it could, or cannot be told) or a ``problem`` (a run that
needs it will fail). Every check takes what it judges as an argument; ``examine`` is the one that goes and looks.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from deepred.base.errors import DeepRedError
from deepred.run.config import Asked, Run
from deepred.run.hardware import Machine, Torch, ask_torch, read_machine, recognise, version_of
from deepred.run.trials import ATTENTION, Trial, run_trials

Level = Literal["ok", "note", "problem"]
GIB = 1 << 30
LEAST_DISK = 20 * GIB
"""Free space below which a run on real data is likely to fill the disk."""
SLOW_BFLOAT16 = 3.0
"""Times that bfloat16 may be slower than float32 before it counts as a trap: up to 76 were measured."""
SHARED_SHARE = 0.6
"""Share of unified memory below which the GPU's part of it is worth enlarging."""
TIMEOUT = 3.0
BAD_ROCM: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (((7, 1, 1), (6, 18, 4)),)
"""(ROCm, kernel from which on it fails) on gfx1151: memory access faults in the simplest operations."""
UNCHECKED_ROCM = (6, 4, 4)
"""ROCm below which gfx1151 has no kernels of its own."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    topic: str
    level: Level
    text: str
    mend: str = ""


def check_machine(machine: Machine) -> Iterator[Finding]:
    """Processor and memory."""
    memory = f"{machine.memory / GIB:.1f} GiB" if machine.memory else "memory unknown"
    yield Finding(
        "machine", "ok", f"{machine.processor}, {machine.cores} cores, {memory}, {machine.system} {machine.kernel}"
    )


def check_torch(machine: Machine) -> Iterator[Finding]:
    """PyTorch, and whether it sees the GPU that is there."""
    torch = machine.torch
    if torch.error:
        yield Finding("torch", "problem", f"PyTorch cannot be used: {torch.error}", 'pip install "deepred[train]"')
        return
    built = f" for {torch.backend} {torch.runtime}".rstrip() if torch.runtime else ""
    yield Finding("torch", "ok", f"PyTorch {torch.version}{built}, trains on {torch.backend}")
    if torch.backend == "cpu" and (machine.has_nvidia or machine.has_amd):
        kind, index = ("NVIDIA", "CUDA") if machine.has_nvidia else ("AMD", "ROCm")
        yield Finding(
            "torch",
            "problem",
            f"there is an {kind} GPU that this PyTorch does not see",
            f"install PyTorch for {index} (pytorch.org/get-started) and its driver",
        )


def check_accelerators(machine: Machine) -> Iterator[Finding]:
    """Every GPU by name, architecture, memory and peak."""
    for card in machine.torch.accelerators:
        known = recognise(card.name) or recognise(card.architecture)
        peak = f"peak {known.teraflops:g} TFLOP/s bfloat16" if known else "peak unknown"
        text = f"{card.name} ({card.architecture}), {card.memory / GIB:.1f} GiB, {peak}"
        yield Finding("gpu", "ok", text)
        if card.architecture.startswith("sm_") and int(card.architecture[3:]) < 80:
            yield Finding(
                "bfloat16", "note", f"{card.name} has no bfloat16 units", 'set pretrain.precision = "float32"'
            )
    if not machine.torch.accelerators and not machine.torch.error:
        yield Finding("gpu", "note", f"none: training runs on {machine.torch.backend}", "small models only: see plan")


def check_unified_memory(machine: Machine) -> Iterator[Finding]:
    """How much of a unified memory the GPU may use (Strix Halo's GTT)."""
    if not machine.gtt or not machine.is_unified:
        return
    text = f"unified: {machine.vram / GIB:.1f} GiB carved out, {machine.gtt / GIB:.1f} GiB more for the GPU (GTT)"
    if machine.memory and machine.gtt < SHARED_SHARE * (machine.memory + machine.vram):
        pages = int(0.86 * (machine.memory + machine.vram)) // 4096
        yield Finding(
            "memory",
            "note",
            f"{text} of {machine.memory / GIB:.1f} GiB",
            f"boot with ttm.pages_limit={pages} amdgpu.gttsize={pages * 4096 >> 20}, and the smallest carve-out",
        )
    else:
        yield Finding("memory", "ok", text)


def check_rocm(machine: Machine) -> Iterator[Finding]:
    """Combinations of ROCm and kernel that fail, and the variables that ROCm wants."""
    if machine.torch.backend != "rocm" and not machine.has_amd:
        return
    runtimes = {version_of(text)[:3] for text in (machine.rocm, machine.torch.runtime) if text}
    kernel = version_of(machine.kernel)
    shown = machine.rocm or machine.torch.runtime or "?"
    bad = [(rocm, since) for rocm, since in BAD_ROCM if rocm in runtimes and kernel >= since]
    for rocm, since in bad:
        name, first = (".".join(map(str, version)) for version in (rocm, since))
        yield Finding(
            "rocm",
            "problem",
            f"ROCm {name} fails with kernels from {first} on, this is {machine.kernel}",
            f"boot a kernel before {first}, or install a newer ROCm",
        )
    if not bad:
        yield Finding("rocm", "ok", f"ROCm {shown} with kernel {machine.kernel}: not known to fail")
    yield from check_rocm_environment(machine)


def check_rocm_environment(machine: Machine) -> Iterator[Finding]:
    """The variables, each with the line that sets it."""
    given = machine.environment
    architectures = {card.architecture for card in machine.torch.accelerators}
    runtime = version_of(machine.torch.runtime or machine.rocm)
    override = given.get("HSA_OVERRIDE_GFX_VERSION", "")
    if "gfx1151" in architectures or (machine.is_unified and not architectures):
        if not override and runtime and runtime[:3] < UNCHECKED_ROCM:
            yield _export("HSA_OVERRIDE_GFX_VERSION", "11.5.1", "this ROCm does not know gfx1151 by itself")
        elif override and override != "11.5.1":
            yield Finding(
                "rocm",
                "problem",
                f"HSA_OVERRIDE_GFX_VERSION={override} makes gfx1151 run another chip's code: memory access faults",
                "unset HSA_OVERRIDE_GFX_VERSION (or export HSA_OVERRIDE_GFX_VERSION=11.5.1)",
            )
        if given.get("TORCH_ROCM_AOTRITON_ENABLE_EXPERIMENTAL") != "1":
            yield _export("TORCH_ROCM_AOTRITON_ENABLE_EXPERIMENTAL", "1", "fused attention is off without it")
    elif override:
        yield Finding("rocm", "note", f"HSA_OVERRIDE_GFX_VERSION={override} is set", "unset it unless you need it")
    if given.get("ROCBLAS_USE_HIPBLASLT") != "1":
        yield _export("ROCBLAS_USE_HIPBLASLT", "1", "matrix products ran 7 times as fast with hipBLASLt on Strix Halo")
    if "expandable_segments:True" not in (
        given.get("PYTORCH_HIP_ALLOC_CONF", "") + given.get("PYTORCH_ALLOC_CONF", "")
    ):
        yield _export("PYTORCH_HIP_ALLOC_CONF", "expandable_segments:True", "memory comes in fragments without it")


def _export(name: str, value: str, reason: str) -> Finding:
    return Finding("rocm", "note", f"{name} is not set: {reason}", f"export {name}={value}")


def check_trials(machine: Machine, trials: Sequence[Trial]) -> Iterator[Finding]:
    """Attention kernels, bfloat16 and the rate of matrix products, as tried."""
    tried = {trial.name: trial for trial in trials}
    kernels = [tried[name] for name in ATTENTION if name in tried]
    if kernels:
        yield from _check_attention(machine, kernels)
    if half := tried.get("bfloat16"):
        if not half.works:
            yield Finding("bfloat16", "note", f"does not run: {half.error}", 'set pretrain.precision = "float32"')
        elif half.value > SLOW_BFLOAT16:
            text = f"bfloat16 products are {half.value:.0f} times slower than float32"
            mend = "nothing to do: on a CPU training stays in float32" if machine.torch.backend == "cpu" else ""
            yield Finding("bfloat16", "note", text, mend or 'set pretrain.precision = "float32"')
        else:
            yield Finding("bfloat16", "ok", f"works, {1 / half.value:.1f} times float32's rate")
    if rate := tried.get("matmul"):
        yield _check_rate(machine, rate)


def _check_attention(machine: Machine, kernels: Sequence[Trial]) -> Iterator[Finding]:
    works = [kernel.name for kernel in kernels if kernel.works]
    failed = [kernel for kernel in kernels if not kernel.works]
    if not works:
        yield Finding("attention", "problem", f"no kernel runs: {kernels[0].error}", "reinstall PyTorch or the driver")
        return
    fused = [name for name in works if name in ("flash", "efficient", "cudnn")]
    shown = f"works: {', '.join(works)}"
    if fused:
        yield Finding("attention", "ok", shown)
    else:
        mend = "shorter sequences or smaller micro-batches; a newer PyTorch"
        if machine.torch.backend == "rocm":
            mend = "export TORCH_ROCM_AOTRITON_ENABLE_EXPERIMENTAL=1, or a newer PyTorch for ROCm"
        yield Finding("attention", "note", f"{shown}; no fused kernel: memory grows with the square of length", mend)
    for kernel in failed:
        if kernel.error.startswith("crashed") or (kernel.name == "flex" and machine.torch.backend != "cpu"):
            mend = "leave it unused" if kernel.name != "flex" else 'pretrain.attention = "document" takes a plain mask'
            yield Finding("attention", "note", f"{kernel.name} fails: {kernel.error}", mend)


def _check_rate(machine: Machine, rate: Trial) -> Finding:
    if not rate.works:
        return Finding("matmul", "problem", f"matrix products fail: {rate.error}", "reinstall PyTorch or the driver")
    if machine.torch.backend == "cpu":
        return Finding("matmul", "ok", f"{rate.value:.3f} TFLOP/s in float32")
    card = machine.torch.accelerators[0] if machine.torch.accelerators else None
    known = (recognise(card.name) or recognise(card.architecture)) if card else None
    if not known:
        return Finding("matmul", "ok", f"{rate.value:.1f} TFLOP/s in bfloat16")
    share = rate.value / known.teraflops
    text = f"{rate.value:.1f} TFLOP/s in bfloat16, {share:.0%} of {known.title}'s {known.teraflops:g}"
    if share >= 0.4:
        return Finding("matmul", "ok", text)
    mend = "export ROCBLAS_USE_HIPBLASLT=1" if machine.torch.backend == "rocm" else "is another program using the GPU?"
    return Finding("matmul", "note", text, mend)


def check_compiler(find: Callable[[str], str | None] = shutil.which) -> Iterator[Finding]:
    """A C++ compiler, which ``torch.compile`` needs on a CPU."""
    found = next((path for name in (os.environ.get("CXX", "g++"), "g++", "clang++") if (path := find(name))), None)
    if found:
        yield Finding("compiler", "ok", found)
    else:
        yield Finding("compiler", "note", "no C++ compiler: pretrain.compiled fails on a CPU", "apt install g++")


def check_disk(folder: Path, free: int) -> Iterator[Finding]:
    """Room in the data folder."""
    text = f"{free / GIB:.1f} GiB free at {folder}"
    if free < LEAST_DISK:
        yield Finding("disk", "note", text, "make room, or name another folder with --data or DEEPRED_DATA")
    else:
        yield Finding("disk", "ok", text)


def check_llama(find: Callable[[str], object] = importlib.util.find_spec) -> Iterator[Finding]:
    """llama.cpp in process (chat, gates of the export) and ggml's quantizer (K-quants)."""
    mend = 'pip install "deepred[gguf]"'
    if find("xllamacpp") is None:
        yield Finding("llama.cpp", "note", "xllamacpp is not installed: no GGUF export, no chat", mend)
        return
    from deepred.export.gguf.quantize import ggml

    try:
        ggml()
    except (DeepRedError, OSError, ImportError) as error:
        yield Finding("llama.cpp", "note", f"xllamacpp is there, K-quants are not: {error}", mend)
    else:
        yield Finding("llama.cpp", "ok", "xllamacpp with ggml_quantize_chunk: chat and K-quants")


def asked_sections(run: Run | None) -> dict[str, Asked]:
    """The endpoints that a run file names, by section."""
    found = {name: getattr(run, name) for name in Run.model_fields} if run else {}
    return {name: section for name, section in found.items() if isinstance(section, Asked)}


def check_endpoint(name: str, section: Asked, environment: Mapping[str, str], client: Any = None) -> Iterator[Finding]:
    """An OpenAI-compatible endpoint: does it answer, take the key, and know the model."""
    import httpx

    key = environment.get(section.key_variable, "")
    topic, url = f"[{name}]", section.url.rstrip("/")
    client = client or httpx.Client(timeout=TIMEOUT)
    try:
        answer = client.get(f"{url}/models", headers={"Authorization": f"Bearer {key}"} if key else {})
    except httpx.HTTPError as error:
        said = str(error) or type(error).__name__
        yield Finding(topic, "problem", f"{url} does not answer: {said}", f"start the server, or mend {name}.url")
        return
    if answer.status_code in (401, 403):
        yield Finding(topic, "problem", f"{url} refuses the key", f"set {section.key_variable}")
    elif answer.status_code >= 400:
        yield Finding(topic, "note", f"{url} answers, but lists no models (HTTP {answer.status_code})", "")
    else:
        models = _models(answer)
        if models and section.model not in models:
            shown = ", ".join(models[:5])
            yield Finding(topic, "problem", f"{url} has no model {section.model!r}; it has {shown}", f"{name}.model")
        else:
            yield Finding(topic, "ok", f"{url} answers, model {section.model!r}")


def _models(answer: Any) -> list[str]:
    try:
        return [str(model["id"]) for model in answer.json()["data"]]
    except (ValueError, KeyError, TypeError):
        return []


SERVICES = {"DEEPRED_STORE": ("postgresql", 5432, "sqlite"), "DEEPRED_SEARCH": ("opensearch", 9200, "embedded")}
"""The variables of ``deepred index`` and ``deepred serve`` that may name a service: its topic, its usual port, and the
value that stands for none."""


def check_services(
    environment: Mapping[str, str], connect: Callable[..., Any] = socket.create_connection
) -> Iterator[Finding]:
    """Whether the configured PostgreSQL and OpenSearch can be reached; addresses are shown without their passwords."""
    for variable, (topic, port, none) in SERVICES.items():
        url = environment.get(variable)
        if not url or url == none:
            continue
        try:
            parts = urlsplit(url)
            place = (parts.hostname, parts.port or port)
        except ValueError:
            place = (None, 0)
        if not place[0]:
            yield Finding(topic, "note", f"{variable} names no host: not checked", f"{none}, or an address")
            continue
        try:
            connect(place, timeout=TIMEOUT).close()
        except OSError as error:
            text = f"{place[0]}:{place[1]} cannot be reached: {error}"
            yield Finding(topic, "problem", text, f"start it, or unset {variable}")
        else:
            yield Finding(topic, "ok", f"{place[0]}:{place[1]} answers")


def examine(
    data: Path,
    run: Run | None = None,
    seconds: float = 10.0,
    torch: Torch | None = None,
    machine: Machine | None = None,
    trials: Sequence[Trial] | None = None,
) -> list[Finding]:
    """Every finding about this machine; ``seconds`` bounds the measurement of matrix products."""
    machine = machine or read_machine(torch or ask_torch())
    device = {"cuda": "cuda", "rocm": "cuda", "mps": "mps", "cpu": "cpu"}[machine.torch.backend]
    found = [
        *check_machine(machine),
        *check_torch(machine),
        *check_accelerators(machine),
        *check_unified_memory(machine),
        *check_rocm(machine),
    ]
    if not machine.torch.error:
        found += check_trials(machine, run_trials(device, seconds) if trials is None else trials)
    found += check_compiler()
    place = next(folder for folder in (data.resolve(), *data.resolve().parents) if folder.exists())
    found += check_disk(data, shutil.disk_usage(place).free)
    found += check_llama()
    for name, section in asked_sections(run).items():
        found += check_endpoint(name, section, machine.environment)
    found += check_services(machine.environment)
    return found
