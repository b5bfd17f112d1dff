"""What a device really does, tried in a process of its own: a kernel that crashes takes nothing else with it.

``python -m deepred.run.trials DEVICE SECONDS [NAME…]`` prints a line of JSON for each trial. ``run_trials`` starts it,
and where it dies, starts it again with the trials after the one that it died in.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

ATTENTION = ("flash", "efficient", "cudnn", "math", "flex")
TRIALS = (*ATTENTION, "bfloat16", "matmul")
LONGEST = 120.0
"""Seconds after which a trial counts as hung, beyond what it measures for: `flex` compiles on a GPU."""


@dataclass(frozen=True)
class Trial:
    """How a trial ended: ``value`` is tera-FLOP/s (matmul), or float32's rate over bfloat16's."""

    name: str
    works: bool
    value: float = 0.0
    error: str = ""


Start = Callable[[Sequence[str], float], tuple[int, str, str]]
"""Runs the trials of these names: exit code, standard output, standard error."""


def run_trials(device: str, seconds: float, names: Sequence[str] = TRIALS, start: Start | None = None) -> list[Trial]:
    """The trials' outcomes in order, crashes among them."""
    start = start or _subprocess(device, seconds)
    found: list[Trial] = []
    while len(found) < len(names):
        left = names[len(found) :]
        code, output, errors = start(left, LONGEST + seconds)
        done = [Trial(**json.loads(line)) for line in output.splitlines() if line.startswith("{")]
        found += done
        if len(done) < len(left):
            last = (errors.strip().splitlines() or [f"no answer, exit code {code}"])[-1]
            how = f"killed by signal {-code}" if code < 0 else last
            found.append(Trial(left[len(done)], False, error=f"crashed: {how}"))
    return found


def _subprocess(device: str, seconds: float) -> Start:
    def start(names: Sequence[str], timeout: float) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "deepred.run.trials", device, str(seconds), *names]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired as expired:
            # bytes even where text was asked for
            return 1, (expired.stdout or b"").decode(), f"no answer in {timeout:.0f} s"
        return done.returncode, done.stdout, done.stderr

    return start


def attention(device: str, kernel: str) -> float:
    """Forward and backward pass of one attention kernel on small tensors; an exception where it does not run."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    query, key, value = (
        torch.randn(1, 4, 256, 64, device=device, dtype=dtype, requires_grad=device != "cpu" or kernel != "flex")
        for _ in range(3)
    )
    if kernel == "flex":
        from torch.nn.attention.flex_attention import create_block_mask, flex_attention

        mask = create_block_mask(lambda b, h, q, k: q >= k, None, None, 256, 256, device=device)
        # uncompiled, it is for debugging only and has no backward pass on a CPU
        attend: Any = flex_attention if device == "cpu" else torch.compile(flex_attention)
        found = attend(query, key, value, block_mask=mask)
    else:
        backends = {"flash": "FLASH_ATTENTION", "efficient": "EFFICIENT_ATTENTION", "cudnn": "CUDNN_ATTENTION"}
        with sdpa_kernel([SDPBackend.__members__[backends.get(kernel, "MATH")]]):
            found = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    if found.requires_grad:
        found.sum().backward()
    if not bool(torch.isfinite(found).all()):
        raise ArithmeticError("its result is not finite")
    return 0.0


def matmul(device: str, seconds: float, dtype: str, size: int) -> float:
    """Tera-FLOP/s of square matrix products, the best of several looks within some seconds."""
    import torch

    left, right = (torch.randn(size, size, device=device, dtype=getattr(torch, dtype)) for _ in range(2))

    def wait() -> None:
        if device != "cpu":
            torch.accelerator.synchronize()

    torch.mm(left, right)
    wait()
    best, end, times = 0.0, time.perf_counter() + seconds, 1
    while time.perf_counter() < end:
        begun = time.perf_counter()
        for _ in range(times):
            torch.mm(left, right)
        wait()
        took = time.perf_counter() - begun
        best = max(best, 2 * size**3 * times / took / 1e12)
        times = max(1, min(1000, int(times * 0.1 / took))) if took < 0.1 else times
    return best


def try_one(name: str, device: str, seconds: float) -> float:
    """One trial's value."""
    if name in ATTENTION:
        return attention(device, name)
    if name == "bfloat16":
        single, half = (matmul(device, 0.5, dtype, 256) for dtype in ("float32", "bfloat16"))
        return single / half
    is_cpu = device == "cpu"
    return matmul(device, seconds, "float32" if is_cpu else "bfloat16", 1024 if is_cpu else 8192)


def main(device: str, seconds: float, names: Sequence[str]) -> None:
    """Try each and print its outcome at once."""
    for name in names:
        try:
            found = {"works": True, "value": try_one(name, device, seconds)}
        except Exception as error:
            found = {"works": False, "error": (str(error).splitlines() or [type(error).__name__])[0][:200]}
        print(json.dumps({"name": name, **found}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3:])
