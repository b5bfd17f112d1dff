import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from deepred.base.errors import FaultError
from deepred.run.config import Sft
from deepred.run.settings import Settings
from deepred.run.stage import Work
from deepred.train.merge import merge_adapter
from deepred.train.sft import fine_tune
from tiny_llama import build_model, write_examples

WORK = Work(Settings(threads=1, device="cpu"))
CONFIG = Sft(rank=4, epochs=2, batch=4, learning_rate=5e-3)


def road(folder, tied):
    build_model(folder / "pretrain" / "model", tied=tied)
    write_examples(folder / "examples")
    (folder / "sft").mkdir()
    fine_tune(
        pretrain=folder / "pretrain", examples=folder / "examples", config=CONFIG, seed=1, out=folder / "sft", work=WORK
    )
    return folder


@pytest.mark.parametrize("tied", [True, False])
def test_the_merged_model_equals_its_adapter_and_keeps_tokenizer_and_template(tmp_path, tied):
    road(tmp_path, tied)
    counts = merge_adapter(pretrain=tmp_path / "pretrain", sft=tmp_path / "sft", out=tmp_path / "merge", work=WORK)
    assert "limit 1e-05" in counts.notes["logit difference"]
    folder = tmp_path / "merge" / "model"
    base, merged = (AutoModelForCausalLM.from_pretrained(path) for path in (tmp_path / "pretrain" / "model", folder))
    ids = torch.arange(60).unsqueeze(0)
    with torch.no_grad():
        assert not torch.allclose(base(ids).logits, merged(ids).logits, atol=1e-2)
    assert merged.config.tie_word_embeddings is tied
    talk = [{"role": "user", "content": "Who?"}]
    rendered = [
        AutoTokenizer.from_pretrained(path).apply_chat_template(talk, tokenize=False)
        for path in (tmp_path / "pretrain" / "model", folder)
    ]
    assert rendered[0] == rendered[1] == "<|im_start|>user\nWho?<|im_end|>\n"


def test_an_adapter_of_another_base_is_refused(tmp_path):
    road(tmp_path, True)
    build_model(tmp_path / "other" / "model", width=32)
    with pytest.raises(FaultError, match="another base"):
        merge_adapter(pretrain=tmp_path / "other", sft=tmp_path / "sft", out=tmp_path / "merge", work=WORK)
    assert not (tmp_path / "merge").exists()
