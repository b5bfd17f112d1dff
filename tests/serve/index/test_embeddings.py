"""Vectors: fitted on texts, from an endpoint with its prefixes, from a model on this machine."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from deepred.base.errors import UserError
from deepred.serve.index.contract import UnavailableError
from deepred.serve.index.embeddings import Endpoint, Lsa, MiniLm, open_embedder

TEXTS = [
    f"{subject} {verb} the {thing} in {year}"
    for subject in ("An engineer", "The queen", "A sailor")
    for verb, thing in (("built", "bridge"), ("crossed", "sea"), ("wrote", "letter"), ("played", "chess match"))
    for year in (1850, 1901)
]


def test_near_texts_have_near_vectors():
    lsa = Lsa.fit(TEXTS, seed=1)
    vectors = lsa.documents(TEXTS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    nearest = [TEXTS[place] for place in np.argsort(-(vectors @ lsa.query("chess")))[:6]]
    assert all("chess" in text for text in nearest)
    assert not lsa.query("zzz").any()


def test_what_is_saved_is_what_is_loaded_and_no_pickle(tmp_path):
    lsa = Lsa.fit(TEXTS, seed=1)
    lsa.save(tmp_path)
    assert np.array_equal(open_embedder("lsa", tmp_path).documents(TEXTS), lsa.documents(TEXTS))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lsa.json", "lsa.npy"]
    np.load(tmp_path / "lsa.npy", allow_pickle=False)
    assert json.loads((tmp_path / "lsa.json").read_text(encoding="utf-8"))


def test_the_same_texts_and_seed_give_the_same_vectors():
    assert np.array_equal(Lsa.fit(TEXTS, 7).components, Lsa.fit(TEXTS, 7).components)


@pytest.mark.parametrize("texts", [[], [""], ["...", "!"], ["one"], ["one", "two"]])
def test_too_little_text_gives_no_vectors(texts):
    assert Lsa.fit(texts, 1) is None


@pytest.fixture
def endpoint(monkeypatch):
    """A server of embeddings: the counts of a text's letters; it answers in reverse order, as it may."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.server.asked.append((self.path, body, self.headers.get("Authorization")))
            rows = [
                {"index": place, "embedding": [text.count(letter) + 0.1 for letter in "abcdefgh"]}
                for place, text in enumerate(body["input"])
            ]
            data = json.dumps({"data": rows[::-1]} if self.server.sound else {"data": "no"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments):
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.sound = [], True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("DEEPRED_EMBEDDINGS_URL", f"http://127.0.0.1:{server.server_address[1]}/v1")
    monkeypatch.setenv("DEEPRED_EMBEDDINGS_MODEL", "nomic-embed-text-v1.5")
    monkeypatch.setenv("DEEPRED_EMBEDDINGS_KEY", "secret")
    yield server
    server.shutdown()
    server.server_close()


def test_an_endpoint_gets_the_prefixes_that_its_model_wants(endpoint):
    embedder = Endpoint.from_environment()
    vectors = embedder.documents(["aaa", "bbb"] * 40)
    assert vectors.shape == (80, 8) and vectors[0].argmax() == 0 and vectors[1].argmax() == 1
    embedder.query("abc")
    assert [len(body["input"]) for _, body, _ in endpoint.asked] == [64, 16, 1]
    assert endpoint.asked[0][1]["input"][0] == "search_document: aaa"
    assert endpoint.asked[2][1]["input"] == ["search_query: abc"]
    assert {(path, key) for path, _, key in endpoint.asked} == {("/v1/embeddings", "Bearer secret")}


def test_prefixes_can_be_set(endpoint, monkeypatch):
    monkeypatch.setenv("DEEPRED_EMBEDDINGS_QUERY_PREFIX", "ask: ")
    Endpoint.from_environment().query("abc")
    assert endpoint.asked[0][1]["input"] == ["ask: abc"]


def test_an_endpoint_that_answers_nonsense_or_not_at_all_is_unavailable(endpoint, monkeypatch):
    endpoint.sound = False
    with pytest.raises(UnavailableError):
        Endpoint.from_environment().query("abc")
    monkeypatch.setenv("DEEPRED_EMBEDDINGS_URL", "http://127.0.0.1:1/v1")
    with pytest.raises(UnavailableError) as caught:
        Endpoint.from_environment().query("abc")
    assert "secret" not in str(caught.value)


def test_an_endpoint_without_an_address_says_what_to_set(monkeypatch):
    monkeypatch.delenv("DEEPRED_EMBEDDINGS_URL", raising=False)
    with pytest.raises(UserError, match="DEEPRED_EMBEDDINGS_URL"):
        open_embedder("openai", None)


def test_a_local_model_makes_vectors(tmp_path, monkeypatch):
    import transformers

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "chess", "bridge", "sea"]
    (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    transformers.BertTokenizerFast(vocab=str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    monkeypatch.setenv("DEEPRED_EMBEDDINGS_MODEL", str(tmp_path))
    model = open_embedder("minilm", tmp_path)
    assert isinstance(model, MiniLm)
    vectors = model.documents(["the chess", "the bridge sea", "the chess"])
    assert vectors.shape == (3, 16) and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(vectors[0], vectors[2], atol=1e-5)  # padding changes nothing
    assert np.allclose(model.query("the chess"), vectors[0], atol=1e-5)


def test_a_local_model_that_is_not_there_says_so(monkeypatch):
    monkeypatch.setenv("DEEPRED_EMBEDDINGS_MODEL", "/nowhere")
    with pytest.raises(UserError, match="/nowhere"):
        open_embedder("minilm", None)
