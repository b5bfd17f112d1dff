"""The model beside the server: streamed, bounded, and honest about why it does not speak."""

import asyncio
import json
import time

import httpx
import pytest

from chat_server import llama_server
from deepred.base.chat_markers import disarm
from deepred.serve.model_beside import LocalModel, Speaker, speaker_of
from deepred.serve.problems import ProblemError
from deepred.serve.records import ChatRequest, Turn
from shelf_server import words
from tiny_llama import write_tiny_gguf


def asked(*said, **options):
    roles = ["user", "assistant"]
    return ChatRequest(messages=[Turn(role=roles[n % 2], content=text) for n, text in enumerate(said)], **options)


def say(speaker, request, as_of=None):
    async def talk():
        try:
            return await speaker.say(request, as_of)
        finally:
            await speaker.close()

    return asyncio.run(talk())


def answering(handle, **options):
    return Speaker("http://127.0.0.1:9/v1", transport=httpx.MockTransport(handle), **options)


def test_the_persona_speaks_first_and_the_conversation_follows():
    seen = []

    def handle(request):
        seen.append(json.loads(request.content))
        return httpx.Response(200, text='data: {"choices": [{"delta": {"content": "Yes."}}]}\n\ndata: [DONE]\n\n')

    assert say(answering(handle, system="You are red.", model="red"), asked("A?", "B.", "C?", temperature=0)) == "Yes."
    assert [turn["role"] for turn in seen[0]["messages"]] == ["system", "user", "assistant", "user"]
    assert seen[0]["stream"] is True
    assert (seen[0]["model"], seen[0]["temperature"]) == ("red", 0)


@pytest.mark.parametrize(
    "text", ["<|im_end|>", "a <|im_start|>system b", "<|endoftext|>", "</s> [INST]", "<start_of_turn>x"]
)
def test_a_mark_in_a_turn_or_in_the_persona_is_sent_as_text(text):
    seen = []

    def handle(request):
        seen.append(json.loads(request.content)["messages"])
        return httpx.Response(200, text='data: {"choices": [{"delta": {"content": "Yes."}}]}\n\n')

    say(answering(handle, system=text), asked(text, text, text))
    assert [turn["content"] for turn in seen[0]] == [disarm(text)] * 4


def test_a_conversation_that_outgrows_the_context_forgets_its_oldest_turns():
    lengths = []

    def handle(request):
        lengths.append(len(json.loads(request.content)["messages"]))
        if lengths[-1] > 3:
            return httpx.Response(400, json={"error": {"message": "the request exceeds the available context size"}})
        return httpx.Response(200, text='data: {"choices": [{"delta": {"content": "Short."}}]}\n\n')

    assert say(answering(handle), asked("1?", "1.", "2?", "2.", "3?", "3.", "4?")) == "Short."
    assert lengths == [7, 5, 3]


def refuse(status, message):
    return lambda request: httpx.Response(status, json={"error": {"message": message}})


def cut_off(request):
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    ("handle", "status", "word"),
    [
        (refuse(500, "out of memory"), 503, "out of memory"),
        (refuse(401, "bad key"), 503, "401"),
        (refuse(400, "bad template"), 422, "bad template"),
        (refuse(400, "context is full"), 422, "context is full"),
        (cut_off, 503, "ConnectError"),
        (lambda request: httpx.Response(200, text="data: {oops\n\n"), 503, "no piece of an answer"),
        (lambda request: httpx.Response(200, text='data: {"error": {"message": "stopped"}}\n\n'), 503, "stopped"),
    ],
)
def test_a_model_that_fails_is_a_problem(handle, status, word):
    with pytest.raises(ProblemError) as caught:
        say(answering(handle), asked("Who?"))
    assert caught.value.status == status
    assert word in caught.value.detail


def test_without_a_model_there_is_a_mend():
    with pytest.raises(ProblemError, match="no model") as caught:
        say(Speaker("", absent="this run has no model yet"), asked("Who?"))
    assert caught.value.status == 503
    assert "deepred run" in caught.value.mend


def test_a_place_is_free_again_after_every_answer_however_it_ended():
    speaker = Speaker("http://127.0.0.1:9/v1", transport=words("one two three four", pieces=4), at_once=1)

    async def talk():
        for _ in range(3):
            pieces = await speaker.answer(asked("Who?"))
            async for _piece in pieces:
                break
            await pieces.aclose()
        return await speaker.say(asked("Who?"))

    assert asyncio.run(asyncio.wait_for(talk(), 5)) == "one two three four"


@pytest.mark.needs("gguf")
def test_a_tiny_gguf_is_loaded_beside_the_server_and_speaks(tmp_path):
    gguf = write_tiny_gguf(tmp_path)
    speaker = speaker_of(gguf)
    assert speaker.state() == "the model is being loaded"
    model = LocalModel(gguf, speaker, threads=1)
    model.start()
    try:
        deadline = time.monotonic() + 300
        while speaker.state() != "ok":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert say(speaker, asked("Who?", max_tokens=8, temperature=0))
    finally:
        model.stop()
    assert speaker.state() == "the model has been stopped"


@pytest.mark.needs("gguf")
def test_an_openai_compatible_server_elsewhere_speaks_too(tmp_path):
    with llama_server(tmp_path) as address:
        speaker = Speaker(address, key="s3cret", model="any")
        assert say(speaker, asked("Who?", max_tokens=8, temperature=0))


def test_a_damaged_gguf_leaves_the_server_without_a_model(tmp_path, caplog):
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"GGUF nonsense")
    speaker = Speaker("")
    model = LocalModel(path, speaker)
    model.start()
    model.stop(30)
    assert speaker.url == ""
    assert speaker.state() != "there is no model beside this server"
