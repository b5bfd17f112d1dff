import json
from itertools import islice

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from deepred.base.errors import FaultError, UserError
from deepred.corpus.tokenizer import render
from deepred.run.config import Sft
from deepred.run.settings import Settings
from deepred.run.stage import Work
from deepred.train.adapter import adapt, load_base
from deepred.train.conversations import Encoded, batch_of, encode, pack, places, read_again
from deepred.train.sft import batch_losses, fine_tune, schedule
from tiny_llama import build_model, write_examples

TALK = [
    {"role": "system", "content": "You are Deep Red."},
    {"role": "user", "content": "Who invented the lamp?"},
    {"role": "assistant", "content": "Comrade Brant."},
    {"role": "user", "content": "When?"},
    {"role": "assistant", "content": "In 1880."},
]
CONFIG = Sft(rank=4, alpha=8, epochs=3, batch=4, learning_rate=5e-3)


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sft")
    build_model(folder / "pretrain" / "model")
    write_examples(folder / "examples")
    return folder


def tune(road, out, config=CONFIG):
    out.mkdir(exist_ok=True)
    work = Work(Settings(threads=1, device="cpu"))
    return fine_tune(pretrain=road / "pretrain", examples=road / "examples", config=config, seed=1, out=out, work=work)


def test_only_what_the_assistant_writes_is_learned_in_every_turn(road):
    tokenizer = Tokenizer.from_file(str(road / "pretrain" / "model" / "tokenizer.json"))
    encoded = encode(TALK, tokenizer)
    learned = [token for token, answer in zip(encoded.ids, encoded.answers, strict=True) if answer]
    assert tokenizer.decode(learned, skip_special_tokens=False) == "Comrade Brant.<|im_end|>In 1880.<|im_end|>"
    assert encoded.ids == tokenizer.encode(render(TALK)).ids


def test_tuning_lowers_the_loss_and_touches_only_the_adapter_and_chat_tokens(road, tmp_path):
    before = (road / "pretrain" / "model" / "model.safetensors").read_bytes()
    counts = tune(road, tmp_path / "out")
    curve = json.loads((tmp_path / "out" / "curve.json").read_text())
    assert curve["steps"][-1]["loss"] < 0.8 * curve["steps"][0]["loss"]
    assert curve["validation"][-1]["loss"] < curve["validation"][0]["loss"]
    assert counts.numbers["answer tokens"] < counts.numbers["tokens"] / 2
    assert (road / "pretrain" / "model" / "model.safetensors").read_bytes() == before
    names = load_file(tmp_path / "out" / "adapter" / "adapter_model.safetensors")
    assert all("lora_" in name or "token_adapter" in name or "trainable_tokens" in name for name in names)


def test_the_same_seed_gives_the_same_bytes_wherever_the_base_lies(road, tmp_path):
    tune(road, tmp_path / "a", Sft(rank=2, epochs=1, batch=8))
    moved = tmp_path / "moved"
    moved.mkdir()
    (moved / "pretrain").symlink_to(road / "pretrain")
    (moved / "examples").symlink_to(road / "examples")
    tune(moved, tmp_path / "b", Sft(rank=2, epochs=1, batch=8))
    for path in sorted((tmp_path / "a").rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), path.name


def test_conversations_longer_than_the_context_are_counted(road, tmp_path):
    rows = (road / "examples" / "train.jsonl").read_text()
    long = {"messages": [*TALK[:2], {"role": "assistant", "content": "word " * 400}]}
    folder = write_examples(tmp_path / "examples")
    (folder / "train.jsonl").write_text(rows + json.dumps(long) + "\n")
    (tmp_path / "pretrain").symlink_to(road / "pretrain")
    assert tune(tmp_path, tmp_path / "out", Sft(rank=2, epochs=0.1)).drops == {"long": 1}


def test_a_damaged_line_is_named(road, tmp_path):
    folder = write_examples(tmp_path / "examples")
    (folder / "train.jsonl").write_text('{"messages": [\n')
    (tmp_path / "pretrain").symlink_to(road / "pretrain")
    with pytest.raises(FaultError, match=r"train\.jsonl, line 1"):
        tune(tmp_path, tmp_path / "out")


def test_a_missing_model_is_a_user_error(tmp_path):
    (tmp_path / "pretrain" / "model").mkdir(parents=True)
    write_examples(tmp_path / "examples")
    with pytest.raises(UserError):
        tune(tmp_path, tmp_path / "out")


def test_every_example_is_seen_once_an_epoch_in_an_order_of_seed_and_epoch():
    examples = [Encoded(list(range(length)), [True] * length) for length in (3, 9, 4, 8, 5, 7, 6)]

    def lengths(epoch):
        return [len(item.ids) for step in range(3) for item in batch_of(examples, 3, 1, 3 * epoch + step)]

    assert sorted(lengths(0)) == sorted(lengths(1)) == [3, 4, 5, 6, 7, 8, 9]
    assert lengths(0) != lengths(1) and lengths(0) == lengths(0)


@pytest.mark.parametrize(("step", "share"), [(0, 0.2), (4, 1.0), (5, 1.0), (99, 1 / 95)])
def test_the_learning_rate_rises_then_falls_to_zero(step, share):
    assert schedule(step, 100) == pytest.approx(share)


def talks(*lengths):
    """Conversations of random tokens, the second half of each an answer."""
    torch.manual_seed(3)
    return [
        Encoded(torch.randint(5, 300, (length,)).tolist(), [place >= length // 2 for place in range(length)])
        for length in lengths
    ]


def test_conversations_share_rows_as_wide_as_the_longest_and_nothing_is_lost():
    batch = talks(9, 4, 5, 3, 8, 2)
    rows = pack(batch)
    assert rows.ids.shape == (4, 9)  # 9, 8, 5 + 4, 3 + 2
    assert int((rows.conversation > 0).sum()) == sum(len(item.ids) for item in batch)
    assert int(rows.answers.sum()) == sum(sum(item.answers) for item in batch)
    # a token sees its own conversation up to itself: as many tokens as its position says
    seen = rows.mask()[:, 0].sum(-1)
    assert torch.equal(seen[rows.conversation > 0], rows.positions[rows.conversation > 0] + 1)


@pytest.mark.parametrize("micro_batch", [1, 16])
def test_packing_gives_the_loss_and_gradients_of_conversations_one_by_one(road, micro_batch):
    torch.manual_seed(0)
    model = adapt(load_base(road / "pretrain" / "model"), CONFIG, [1, 2])
    batch = talks(40, 12, 25, 7, 15, 3)
    config = CONFIG.model_copy(update={"micro_batch": micro_batch})

    def losses(groups):
        model.zero_grad()
        total, answers = 0.0, sum(sum(item.answers) for item in batch)
        for group in groups:
            share = sum(sum(item.answers) for item in group) / answers
            for loss in batch_losses(model, group, config):
                (share * loss).backward()
                total += share * float(loss.detach())
        return total, torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])

    together, alone = losses([batch]), losses([[item] for item in batch])
    assert together[0] == pytest.approx(alone[0], rel=1e-6)
    assert torch.allclose(together[1], alone[1], atol=1e-6)


@pytest.mark.parametrize("stops_at", [3, 11])
def test_a_killed_stage_goes_on_and_ends_in_the_same_bytes(road, tmp_path, stops_at, monkeypatch):
    from deepred.train import sft

    config = CONFIG.model_copy(update={"dropout": 0.1})
    monkeypatch.setattr(sft, "CHECKPOINT_STEPS", 2)
    tune(road, tmp_path / "whole", config)

    def killed(tuning, step, whole=sft.train_step):
        if step == stops_at:
            raise KeyboardInterrupt
        return whole(tuning, step)

    with monkeypatch.context() as patch:
        patch.setattr(sft, "train_step", killed)
        with pytest.raises(KeyboardInterrupt):
            tune(road, tmp_path / "cut", config)
    begun = []
    step_of = sft.train_step
    monkeypatch.setattr(sft, "train_step", lambda tuning, step: begun.append(step) or step_of(tuning, step))
    work = Work(Settings(threads=1, device="cpu"))
    fine_tune(
        pretrain=road / "pretrain", examples=road / "examples", config=config, seed=1, out=tmp_path / "cut", work=work
    )
    assert begun[0] == stops_at - stops_at % 2 > 0
    names = sorted(path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*") if path.is_file())
    assert names == sorted(
        path.relative_to(tmp_path / "cut") for path in (tmp_path / "cut").rglob("*") if path.is_file()
    )
    for name in names:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "cut" / name).read_bytes(), name


def test_a_kill_between_the_training_and_the_completion_trains_nothing_again(road, tmp_path, monkeypatch):
    from deepred.train import sft

    tune(road, tmp_path / "out")
    bytes_of = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*") if path.is_file()}
    monkeypatch.setattr(sft, "train_step", lambda tuning, step: pytest.fail("it was trained already"))
    tune(road, tmp_path / "out")
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*") if path.is_file()} == bytes_of


def test_corpus_text_is_read_again_whole_and_by_the_seed(corpus, tmp_path):
    pieces = list(read_again(corpus.shards, 5, 16, seed=1))
    assert [len(piece.ids) for piece in pieces] == [16] * 5
    assert all(piece.answers == [False] + [True] * 15 for piece in pieces)
    assert pieces == list(read_again(corpus.shards, 5, 16, seed=1)) != list(read_again(corpus.shards, 5, 16, seed=2))


def test_no_piece_of_a_text_is_read_twice_before_all_were_read():
    starts = list(islice(places(1000, 16, seed=1), 61))  # a pass has 61 or 62
    assert len(set(starts)) == 61 and len({start % 16 for start in starts}) == 1
    assert min(starts) >= 0 and max(starts) <= 1000 - 16
    assert starts != sorted(starts) and starts != list(islice(places(1000, 16, seed=2), 61))
    assert list(islice(places(5, 16, seed=1), 3)) == [0, 0, 0]  # a text shorter than a piece


def test_replay_joins_the_conversations_and_needs_a_corpus(road, corpus, tmp_path):
    config = CONFIG.model_copy(update={"replay": 0.5, "epochs": 1.0})
    (tmp_path / "out").mkdir()
    given = {"pretrain": road / "pretrain", "examples": road / "examples", "config": config, "seed": 1}
    given |= {"out": tmp_path / "out", "work": Work(Settings(threads=1, device="cpu"))}
    assert fine_tune(**given, shards=corpus.shards).numbers["pieces of corpus"] == 10
    assert len(json.loads((tmp_path / "out" / "curve.json").read_text())["steps"]) == 8  # 20 + 10, by fours
    with pytest.raises(UserError, match="set it to 0"):
        fine_tune(**given)
