"""The training step against its peers: same model, batch and tokens through this trainer and through Hugging Face's.

    python benchmarks/train.py [--size 10m] [--steps 8] [--rounds 3] [--device cpu] [--peers …]

On a GPU, all targets in one command (bfloat16, 2048 tokens; MFU of the device's peak, and the memory that `deepred
plan` states against the device's own count):

    for size in 135m 360m 1.1b; do python benchmarks/train.py --device cuda --size $size; done

Every measurement is a process of its own (memory is the process's own peak above what it held once model and optimizer
were built; on a GPU, PyTorch's count), rounds alternate between the peers, and the best round counts. Prints a table of
ratios to the plain Hugging Face loop, and JSON with --json.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = {
    "10m": ({"layers": 3, "width": 256, "heads": 4, "kv_heads": 4, "feed_forward": 688, "tied": True}, 512, 4),
    "135m": ({"layers": 30, "width": 576, "heads": 9, "kv_heads": 3, "feed_forward": 1536, "tied": True}, 2048, 16),
    "360m": ({"layers": 32, "width": 960, "heads": 15, "kv_heads": 5, "feed_forward": 2560, "tied": True}, 2048, 8),
    "1.1b": ({"layers": 22, "width": 2048, "heads": 32, "kv_heads": 4, "feed_forward": 5632, "tied": False}, 2048, 8),
}
"""Shape, tokens of a sequence, sequences of a micro-batch: SmolLM2's two smaller models and TinyLlama's."""
SHAPE, SEQUENCE, BATCH = SIZES["10m"]
VOCABULARY = 32_000
PEERS = ("huggingface", "huggingface-compiled", "trainer", "deepred", "deepred-recompute", "deepred-compiled")
MORE = {"deepred-recompute": {"activations": "recompute"}, "deepred-compiled": {"compiled": True}}


def make_data(root):
    """Random words as shards, and the tokenizer trained on them."""
    from deepred.base.tables import document_schema, write_rows
    from deepred.corpus.shards import write_shards
    from deepred.corpus.tokenizer import train_tokenizer
    from deepred.run.config import Shards, Tokenizer
    from deepred.run.settings import Settings
    from deepred.run.stage import Work

    pick = random.Random(1)
    words = [
        "".join(pick.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(pick.randint(2, 9))) for _ in range(20_000)
    ]
    for name in ("mixture", "tokenizer", "shards"):
        (root / name).mkdir()
    rows = (
        {"id": f"x:{n}", "source": "books", "title": "", "text": " ".join(pick.choices(words, k=800))}
        for n in range(200)
    )
    write_rows(root / "mixture" / "train-books-00000.parquet", rows, document_schema())
    work = Work(Settings())
    tokenizer = Tokenizer(vocabulary=VOCABULARY)
    train_tokenizer(mixture=root / "mixture", config=tokenizer, out=root / "tokenizer", work=work)
    write_shards(
        mixture=root / "mixture", tokenizer=root / "tokenizer", config=Shards(), out=root / "shards", work=work
    )


def prepare(root, device, **more):
    """This trainer, before its first step."""
    from deepred.run.settings import Settings
    from deepred.run.stage import Work
    from deepred.train.device import choose_device
    from deepred.train.step import prepare

    work = Work(Settings(device=device, threads=int(os.environ.get("OMP_NUM_THREADS", "0"))))
    return prepare(root / "shards", root / "tokenizer", config_of(device, **more), 1, work, choose_device(device))


def config_of(device, **more):
    """The run file's section."""
    from deepred.run.config import Pretrain

    precision = "float32" if device == "cpu" else "bfloat16"
    size = {"sequence": SEQUENCE, "batch": BATCH, "micro_batch": BATCH}
    return Pretrain.model_validate({"model": SHAPE, **size, "precision": precision, "tokens": 10**9} | more)


def prepare_peer(training, is_compiled):
    """The model as its peers have it: float32 weights (autocast casts them), their own attention and optimizer."""
    import torch

    model = training.model
    model.set_attn_implementation("sdpa")
    if training.masters:
        for parameter, master in zip(model.parameters(), training.weights.values(), strict=True):
            parameter.data = master.data
            parameter._post_accumulate_grad_hooks = None
    training.masters = None
    training.optimizer = torch.optim.AdamW(model.parameters(), 3e-3, (0.9, 0.95), fused=True)
    if is_compiled:
        model.compile()


def batches(training, count):
    """The same sequences for every peer."""
    import torch

    for step in range(count):
        part = training.sequences.batch(range(step * BATCH % 64, step * BATCH % 64 + BATCH))
        yield torch.from_numpy(part[:, :-1].copy())


def run_deepred(training, steps):
    from deepred.train.step import train_step

    for step in range(steps):
        train_step(training, step)


def run_huggingface(training, steps):
    """A plain loop around the model's own loss, with all logits."""
    import torch

    for ids in batches(training, steps):
        ids = ids.to(training.device)
        with torch.autocast(training.device.type, torch.bfloat16, enabled=training.is_mixed):
            training.model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        torch.nn.utils.clip_grad_norm_(training.model.parameters(), 1.0)
        training.optimizer.step()
        training.optimizer.zero_grad(set_to_none=True)


def run_trainer(training, steps):
    """Hugging Face's Trainer (needs the package accelerate)."""
    from transformers import Trainer, TrainingArguments

    rows = [{"input_ids": row, "labels": row} for part in batches(training, steps) for row in part]
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=BATCH,
            max_steps=steps,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            use_cpu=training.device.type == "cpu",
            bf16=training.is_mixed,
        )
        Trainer(training.model, arguments, train_dataset=rows).train()


def memory(device):
    """(bytes in use, bytes at most since the last call) of the device or, on Linux, of this process."""
    import torch

    if device.type == "cuda":
        found = torch.cuda.memory_allocated(), torch.cuda.max_memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        return found
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    Path("/proc/self/clear_refs").write_text("5")  # begins the process's peak anew
    return tuple(int(status[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))


def measure(peer, root, steps, device):
    """Tokens per second (of wall and of processor time) and peak memory of one peer, in this process."""
    import torch

    from deepred.train.device import peak_flops
    from deepred.train.model import measure_size

    training = prepare(root, device, **MORE.get(peer, {}))
    if not peer.startswith("deepred"):
        prepare_peer(training, peer == "huggingface-compiled")
    run = {"trainer": run_trainer}.get(peer, run_deepred if peer.startswith("deepred") else run_huggingface)
    before, _ = memory(training.device)
    run(training, 2)  # allocates the optimizer's moments, compiles, warms caches
    if training.device.type == "cuda":
        torch.cuda.synchronize()
    wall, processor = time.perf_counter(), time.process_time()
    run(training, steps)
    if training.device.type == "cuda":
        torch.cuda.synchronize()
    tokens = steps * BATCH * SEQUENCE
    found = {
        "tokens_per_second": tokens / (time.perf_counter() - wall),
        "tokens_per_cpu_second": tokens / (time.process_time() - processor),
        "peak_over_model": memory(training.device)[1] - before,
    }
    found["peak"] = before + found["peak_over_model"]
    found["flops_per_token"] = measure_size(training.model).flops_per_token(SEQUENCE)
    found["peak_flops"] = peak_flops(training.device, True)
    return found | {"parameters": sum(p.numel() for p in training.model.parameters())}


def planned(device):
    """Bytes that ``deepred plan`` states for this trainer's step."""
    from deepred.train.memory import step_memory

    return step_memory(config_of(device), VOCABULARY, device).total


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", choices=list(SIZES), default="10m")
    options.add_argument("--steps", type=int, default=8)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--device", default="cpu")
    options.add_argument("--peers", nargs="*", default=list(PEERS))
    options.add_argument("--json", action="store_true")
    options.add_argument("--one", nargs=2, metavar=("PEER", "DATA"), help=argparse.SUPPRESS)
    given = options.parse_args()
    global SHAPE, SEQUENCE, BATCH
    SHAPE, SEQUENCE, BATCH = SIZES[given.size]
    if given.one:
        print(json.dumps(measure(given.one[0], Path(given.one[1]), given.steps, given.device)))
        return
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        make_data(Path(folder))
        for _ in range(given.rounds):
            for peer in given.peers:
                command = [
                    sys.executable,
                    __file__,
                    "--size",
                    given.size,
                    "--steps",
                    str(given.steps),
                    "--device",
                    given.device,
                    "--one",
                    peer,
                    folder,
                ]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    print(f"{peer}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                    continue
                found.setdefault(peer, []).append(json.loads(done.stdout.strip().splitlines()[-1]))
    best = {
        peer: {name: (min if name == "peak_over_model" else max)(r[name] for r in rounds) for name in rounds[0]}
        for peer, rounds in found.items()
    }
    if given.device != "cpu":
        best["planned"] = planned(given.device)
    if given.json:
        print(json.dumps(best, indent=1))
        return
    plan = best.pop("planned", 0)
    base = best.get("huggingface") or next(iter(best.values()))
    print(f"{'':20}{'tokens/s':>10}{'ratio':>8}{'MFU':>8}{'tokens/cpu-s':>14}{'ratio':>8}{'peak MiB':>10}{'ratio':>8}")
    for peer, row in best.items():
        shown = [
            (row[name], row[name] / base[name])
            for name in ("tokens_per_second", "tokens_per_cpu_second", "peak_over_model")
        ]
        (speed, a), (processor, b), (peak, c) = shown
        flops = row["flops_per_token"] * speed
        use = f"{flops / row['peak_flops']:8.1%}" if row["peak_flops"] else f"{flops / 1e9:6.0f} G"
        print(f"{peer:20}{speed:10,.0f}{a:8.2f}{use}{processor:14,.0f}{b:8.2f}{peak / 2**20:10,.0f}{c:8.2f}")
    if plan and "deepred" in best:
        print(f"memory of a step: {best['deepred']['peak'] / 2**30:.2f} GiB, planned {plan / 2**30:.2f} GiB")


if __name__ == "__main__":
    main()
