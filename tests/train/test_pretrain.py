import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from deepred.base.errors import FaultError, UserError

SMALL = {"model": {"layers": 2, "width": 32, "heads": 2, "kv_heads": 1, "feed_forward": 48}}
RESULT = ("model/model.safetensors", "model/config.json", "curves.jsonl", "state/state.safetensors")


def result(out):
    return {name: (out / name).read_bytes() for name in RESULT}


def losses(lines):
    return [line["loss"] for line in lines if "loss" in line]


def test_training_lowers_the_loss_and_notes_it(trained, curve):
    out, counts = trained
    found = losses(curve(out))
    assert len(found) == counts.numbers["steps"] == 20
    assert found[0] == pytest.approx(math.log(320), abs=0.3)
    assert found[-1] < found[0] - 0.5
    assert counts.numbers["tokens"] == 20 * 4 * 16


def test_validation_is_written_by_source_and_in_bits_per_byte(trained, curve):
    lines = [line for line in curve(trained[0]) if "validation" in line]
    assert [line["step"] for line in lines] == [0, 10, 20]
    assert set(lines[0]["by_source"]) == {"books", "wikipedia"}
    assert lines[-1]["bits_per_byte"] < lines[0]["bits_per_byte"]


def test_training_twice_gives_the_same_bytes(trained, corpus, tmp_path):
    corpus.pretrain(tmp_path / "again")
    assert result(tmp_path / "again") == result(trained[0])


def test_another_seed_gives_another_model(trained, corpus, tmp_path):
    corpus.pretrain(tmp_path / "other", seed=2)
    assert result(tmp_path / "other")["curves.jsonl"] != result(trained[0])["curves.jsonl"]


def test_the_model_loads_with_its_tokenizer_and_scores_as_trained(trained, corpus, curve):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(trained[0] / "model", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(trained[0] / "model")
    ids = torch.tensor([tokenizer.encode("red moon quiet town engineers built")])
    with torch.no_grad():
        loss = model(input_ids=ids, labels=ids).loss.item()
    assert loss < curve(trained[0])[0]["validation"]
    assert model.config.eos_token_id == tokenizer.eos_token_id


def test_micro_batches_add_up_to_the_batch(trained, corpus, tmp_path, curve):
    corpus.pretrain(tmp_path / "whole", micro_batch=4)
    assert losses(curve(trained[0])) == pytest.approx(losses(curve(tmp_path / "whole")), rel=1e-3)


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
import transformers, safetensors.torch
from transformers import LlamaForCausalLM
sys.path.insert(0, sys.argv[1])
from conftest import Corpus
from deepred.train import pretrain as module

corpus, root = Corpus(Path(sys.argv[2]), Path(sys.argv[3])), Path(sys.argv[4])
step, save = module.train_step, safetensors.torch.save_file

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def kill_at_step(run, number):
    step(run, number)
    if number == at:
        die()

def kill_while_writing(tensors, path, **more):
    save(tensors, path, **more)
    if path.parent.name.startswith(f"{at:08d}"):
        os.truncate(path, path.stat().st_size // 2)
        die()

for name, at in (("early", 2), ("step", 13), ("writing", 10), ("last", 20)):
    child = os.fork()
    if not child:
        module.train_step = kill_at_step if name in ("early", "step") else step
        safetensors.torch.save_file = kill_while_writing if name in ("writing", "last") else save
        corpus.pretrain(root / name)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, name
"""


def test_a_run_that_is_killed_and_resumed_ends_in_the_same_bytes(trained, corpus, tmp_path):
    arguments = [Path(__file__).parent, corpus.shards, corpus.tokenizer, tmp_path]
    subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, arguments)], check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    left = {
        name: sorted(p.name for p in (tmp_path / name / "checkpoints").glob("*"))
        for name in ("step", "writing", "last")
    }
    assert left["step"] == ["00000005", "00000010"]
    assert left["writing"] == ["00000005", "00000010.tmp"]
    assert left["last"] == ["00000010", "00000015", "00000020.tmp"]
    for name in ("early", "step", "writing", "last"):
        counts = corpus.pretrain(tmp_path / name)
        assert result(tmp_path / name) == result(trained[0]), name
        assert counts.to_json() == trained[1].to_json()
        assert not (tmp_path / name / "checkpoints").exists()


def test_a_finished_run_is_only_written_again(trained, corpus, tmp_path):
    shutil.copytree(trained[0], tmp_path / "done")
    shutil.rmtree(tmp_path / "done" / "model")
    corpus.pretrain(tmp_path / "done")
    assert result(tmp_path / "done") == result(trained[0])


def test_a_kill_while_the_checkpoints_are_removed_leaves_what_is_only_written_again(
    trained, corpus, tmp_path, monkeypatch
):
    from deepred.train import pretrain as module

    def torn(folder, **options):
        if folder.name == "checkpoints":
            (next(folder.iterdir()) / "checkpoint.json").unlink()
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module.shutil, "rmtree", torn)
        with pytest.raises(KeyboardInterrupt):
            corpus.pretrain(tmp_path / "torn")
    monkeypatch.setattr(module, "train_step", lambda run, number: pytest.fail("it was trained already"))
    corpus.pretrain(tmp_path / "torn")
    assert result(tmp_path / "torn") == result(trained[0])


@pytest.fixture
def interrupted(corpus, tmp_path, monkeypatch):
    """A run that a signal stopped after step 8."""
    from deepred.train import pretrain as module

    step = module.train_step

    def signalled(run, number):
        step(run, number)
        if number == 7:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(module, "train_step", signalled)
        with pytest.raises(KeyboardInterrupt):
            corpus.pretrain(tmp_path / "out")
    return tmp_path / "out"


def test_a_signal_writes_a_checkpoint_first(interrupted, trained, corpus):
    assert sorted(path.name for path in (interrupted / "checkpoints").iterdir()) == ["00000005", "00000008"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    corpus.pretrain(interrupted)
    assert result(interrupted) == result(trained[0])


@pytest.mark.parametrize("moment", ["_agree", "_save", "is_due"])
def test_a_signal_after_the_ranks_agreed_is_the_next_steps(corpus, tmp_path, monkeypatch, moment):
    # on several ranks it reaches one before the other: who acted on it at once would leave the other waiting
    from deepred.train import pretrain as module

    owner = module if moment == "is_due" else module.Run
    plain, calls = getattr(owner, moment), []

    def signalled(*arguments):
        found = plain(*arguments)
        calls.append(moment)
        if len(calls) == (1 if moment == "_save" else 7):  # the first checkpoint is that of step 5
            signal.raise_signal(signal.SIGINT)
        return found

    monkeypatch.setattr(owner, moment, signalled)
    with pytest.raises(KeyboardInterrupt):
        corpus.pretrain(tmp_path / "out")
    expected = {"_agree": 8, "_save": 6, "is_due": 8}[moment]
    assert max(path.name for path in (tmp_path / "out" / "checkpoints").iterdir()) == f"{expected:08d}"


def test_a_signal_after_the_last_step_is_handed_on_and_nothing_is_trained_again(trained, corpus, tmp_path, monkeypatch):
    from deepred.train import pretrain as module

    plain = module.Run._save

    def signalled(run, done, curves):
        plain(run, done, curves)
        if done == run.training.steps:
            signal.raise_signal(signal.SIGTERM)

    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    monkeypatch.setattr(module.Run, "_save", signalled)
    try:
        corpus.pretrain(tmp_path / "out")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]
    assert result(tmp_path / "out") == result(trained[0])


def test_a_damaged_checkpoint_is_passed_over_and_named(interrupted, trained, corpus):
    path = interrupted / "checkpoints" / "00000008" / "state.safetensors"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    counts = corpus.pretrain(interrupted)
    assert "00000008 is damaged" in counts.notes["damaged"][0]
    assert result(interrupted) == result(trained[0])


def test_a_run_without_a_whole_checkpoint_says_so(interrupted, corpus):
    for path in (interrupted / "checkpoints").glob("*/checkpoint.json"):
        path.write_text("{")
    with pytest.raises(FaultError, match="no whole checkpoint"):
        corpus.pretrain(interrupted)


def test_other_data_or_configuration_is_refused(interrupted, corpus):
    with pytest.raises(UserError, match=r"another pretrain\.weight_decay"):
        corpus.pretrain(interrupted, weight_decay=0.5)


def test_a_loss_that_is_no_number_ends_the_run(corpus, tmp_path):
    with pytest.raises(FaultError, match=r"at step \d+"):
        corpus.pretrain(tmp_path / "out", learning_rate=1e30, clip=1e30, warmup=0)


def test_too_few_tokens_are_an_error(corpus, tmp_path):
    with pytest.raises(UserError, match="fewer than a sequence"):
        corpus.pretrain(tmp_path / "out", sequence=100_000)


def test_a_full_disk_at_a_checkpoint_is_a_fault_and_leaves_nothing_half_written(corpus, tmp_path, monkeypatch):
    def full(tensors, path):
        Path(path).write_bytes(b"half")
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(FaultError, match=r"No space left.*from the beginning"):
        corpus.pretrain(tmp_path / "out")
    assert not list((tmp_path / "out" / "checkpoints").iterdir())


FULL = """
import os, resource, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[1])
from conftest import Corpus
from deepred.base.errors import FaultError
from deepred.train import pretrain as module

corpus, out, step = Corpus(Path(sys.argv[2]), Path(sys.argv[3])), Path(sys.argv[4]), module.train_step

def fill_the_disk(run, number):
    step(run, number)
    if number == 9:  # files cannot grow any more: what a quota or a full disk does, by the system itself
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))

module.train_step = fill_the_disk
try:
    corpus.pretrain(out)
except FaultError as error:
    print(error)
"""


def test_a_disk_that_fills_up_is_one_line_and_the_checkpoint_before_serves(trained, corpus, tmp_path):
    arguments = map(str, [Path(__file__).parent, corpus.shards, corpus.tokenizer, tmp_path / "out"])
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", FULL, *arguments], capture_output=True, text=True, env=environment, check=False
    )
    assert "the checkpoint of step 10 could not be written" in done.stdout, done.stderr
    assert "File too large" in done.stdout
    assert "goes on from step 5" in done.stdout
    assert [path.name for path in (tmp_path / "out" / "checkpoints").iterdir()] == ["00000005"]
    corpus.pretrain(tmp_path / "out")
    assert result(tmp_path / "out") == result(trained[0])


def test_checkpoints_come_by_tokens_and_by_minutes_and_the_last_ones_are_kept(corpus, tmp_path, monkeypatch):
    from deepred.train import pretrain as module

    seen = []
    monkeypatch.setattr(module, "save_checkpoint", lambda root, step, *more: seen.append((step, more[-1])))
    monkeypatch.setattr(module, "_keep_last", lambda *folders: None)
    corpus.pretrain(tmp_path / "tokens", checkpoint_steps=0, checkpoint_tokens=7 * 64, keep_checkpoints=3)
    assert seen == [(7, 3), (14, 3), (20, 3)]
    seen.clear()
    corpus.pretrain(tmp_path / "minutes", checkpoint_steps=0, checkpoint_minutes=1e-9)
    assert [step for step, _ in seen] == list(range(1, 21))


def test_a_checkpoint_is_a_model_that_loads(interrupted):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = interrupted / "checkpoints" / "00000008" / "model"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    state = load_file(folder.parent / "state.safetensors")
    assert torch.equal(model.get_input_embeddings().weight, state["model.model.embed_tokens.weight"])
    assert AutoTokenizer.from_pretrained(folder).eos_token_id == model.config.eos_token_id
    assert {name.split(".")[0] for name in state} == {"rng", "model", "optimizer"}


def test_a_run_goes_on_from_a_checkpoint_of_another_configuration(interrupted, trained, corpus, tmp_path, curve):
    counts = corpus.pretrain(tmp_path / "on", learning_rate=1e-3, resume=str(interrupted))
    before, after = (losses(curve(folder)) for folder in (trained[0], tmp_path / "on"))
    assert after[:9] == before[:9]  # the ninth is the loss of the weights as they came
    assert after[9:] != before[9:]
    assert "step 8; differs in: pretrain.learning_rate" in counts.notes["resumed"]
    assert counts.numbers["steps"] == 20
    finished = corpus.pretrain(tmp_path / "longer", tokens=30 * 64, resume=str(trained[0]))
    assert finished.numbers["steps"] == 30


def test_a_checkpoint_of_another_corpus_is_taken_only_where_told(interrupted, make_corpus, tmp_path):
    other = make_corpus(tmp_path / "corpus", documents=50)
    with pytest.raises(UserError, match="another corpus"):
        other.pretrain(tmp_path / "on", resume=str(interrupted))
    counts = other.pretrain(tmp_path / "on", resume=str(interrupted), resume_corpus="any")
    assert "differs in: data" in counts.notes["resumed"]


def test_a_checkpoint_of_another_shape_is_refused(interrupted, corpus, tmp_path):
    with pytest.raises(UserError, match="another shape"):
        corpus.pretrain(tmp_path / "on", resume=str(interrupted), model=SMALL["model"] | {"layers": 3})


def test_the_warm_up_can_be_given_in_steps(corpus, tmp_path, curve):
    corpus.pretrain(tmp_path / "out", warmup_steps=4, learning_rate=1e-2)
    rates = [line["rate"] for line in curve(tmp_path / "out") if "rate" in line]
    assert rates[:5] == pytest.approx([2.5e-3, 5e-3, 7.5e-3, 1e-2, 1e-2])


def test_a_run_goes_on_with_another_micro_batch_to_rounding(interrupted, trained, corpus, curve):
    corpus.pretrain(interrupted, micro_batch=4)
    assert losses(curve(interrupted)) == pytest.approx(losses(curve(trained[0])), rel=1e-3)


def test_recomputed_activations_give_the_same_losses(trained, corpus, tmp_path, curve):
    corpus.pretrain(tmp_path / "out", activations="recompute")
    assert losses(curve(tmp_path / "out")) == losses(curve(trained[0]))


def test_a_fraction_of_the_corpus_is_read_more_often(corpus, tmp_path, trained):
    counts = corpus.pretrain(tmp_path / "out", dev_fraction=0.1)
    assert counts.notes["epochs"] == pytest.approx(10 * trained[1].notes["epochs"], rel=0.1)


def test_a_rising_validation_stops_the_run_and_a_stopped_run_stays_so(corpus, tmp_path, curve):
    config = {"dev_fraction": 0.02, "tokens": 200 * 4 * 16, "early_stop": 2, "learning_rate": 3e-2}
    counts = corpus.pretrain(tmp_path / "out", **config)
    validations = [line["validation"] for line in curve(tmp_path / "out") if "validation" in line]
    assert counts.numbers["steps"] < 200
    assert validations[-3] < validations[-2] < validations[-1]
    before = result(tmp_path / "out")
    again = corpus.pretrain(tmp_path / "out", **config)
    assert (result(tmp_path / "out"), again.to_json()) == (before, counts.to_json())


def test_snapshots_are_models(corpus, tmp_path):
    from transformers import AutoModelForCausalLM

    corpus.pretrain(tmp_path / "out", keep_steps=10)
    assert sorted(path.name for path in (tmp_path / "out" / "snapshots").iterdir()) == ["00000010", "00000020"]
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out" / "snapshots" / "00000010").config.hidden_size == 32


def test_curves_are_a_table_too_and_hold_samples(trained, curve):
    rows = (trained[0] / "curves.csv").read_text().splitlines()
    assert rows[0].startswith("step,tokens,loss")
    assert len(rows) == len(curve(trained[0])) + 1
    samples = curve(trained[0])[-1]["samples"]
    assert set(samples) == {"books", "wikipedia"}
    assert all(" →" in text for text in samples.values())


def test_memory_that_does_not_suffice_names_a_smaller_micro_batch(corpus, tmp_path, monkeypatch):
    def full(*arguments, **more):
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr("deepred.train.loss.chunked_cross_entropy", full)
    with pytest.raises(FaultError, match=r"micro_batch to 1\b"):
        corpus.pretrain(tmp_path / "out")


def test_a_base_model_is_continued_from_its_own_loss(trained, corpus, tmp_path, curve):
    base = str(trained[0] / "model")
    corpus.pretrain(tmp_path / "out", model={"base": base}, tokens=4 * 16)
    assert curve(tmp_path / "out")[0]["validation"] == pytest.approx(curve(trained[0])[-1]["validation"], rel=1e-6)


def test_a_run_begins_with_the_weights_of_another_and_an_optimizer_of_its_own(trained, corpus, tmp_path, curve):
    corpus.pretrain(tmp_path / "on", start=trained[0], seed=2)
    corpus.pretrain(tmp_path / "base", model={"base": str(trained[0] / "model")}, seed=2)
    assert curve(tmp_path / "on")[0]["validation"] == curve(trained[0])[-1]["validation"]
    assert curve(tmp_path / "on") == curve(tmp_path / "base")
    assert curve(tmp_path / "on")[1]["rate"] == curve(trained[0])[1]["rate"]


def test_a_checkpoint_that_began_with_other_weights_is_refused(interrupted, trained, corpus):
    with pytest.raises(UserError, match="another start"):
        corpus.pretrain(interrupted, start=trained[0])


def test_a_base_model_with_another_tokenizer_is_refused(trained, corpus, tmp_path):
    base = tmp_path / "base"
    shutil.copytree(trained[0] / "model", base)
    content = json.loads((base / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = content["model"]["vocab"]
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]
    (base / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UserError, match="its ids mean other tokens"):
        corpus.pretrain(tmp_path / "out", model={"base": str(base)})


def test_a_base_model_that_is_not_there_says_how_to_get_it(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="hf download"):
        corpus.pretrain(tmp_path / "out", model={"base": str(tmp_path / "nothing")})


@pytest.mark.parametrize("shape", [{"width": 33, "heads": 2}, {"width": 32, "heads": 4, "kv_heads": 3}])
def test_a_shape_that_does_not_divide_is_refused(corpus, tmp_path, shape):
    with pytest.raises(UserError, match="do not divide"):
        corpus.pretrain(tmp_path / "out", model=shape)
