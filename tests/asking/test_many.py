"""Several addresses at once: what one fails at is asked of the others, nothing is lost and nothing decided twice."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

import pytest
from pydantic import BaseModel, ConfigDict

from chat_server import completion
from deepred.asking.endpoint import REMOTE_HOST, addresses
from deepred.asking.many import ask_all
from deepred.asking.replies import ANSWERED, MALFORMED, Inquiry, Tally, chat_body, read_completion, read_pieces
from deepred.base.chat_markers import disarm
from deepred.base.errors import FaultError, UserError
from deepred.run.config import Llm

GOOD = (200, completion('{"said": "yes"}'))


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")
    said: str


def ask(config, count, **more):
    """Decisions by question, how often each was kept, and the tally."""
    kept, tally = [], Tally()
    inquiry = Inquiry(
        lambda question: chat_body(config, "", f"Title: {question}", "form", Form), partial(read_completion, form=Form)
    )
    names = [f"T{number}" for number in range(count)]
    ask_all(config, inquiry, names, lambda question, reply: kept.append((question, reply)), tally,
            first_wait=0.01, **more)  # fmt: skip
    return kept, tally


@pytest.fixture(autouse=True)
def no_second_machine(monkeypatch):
    monkeypatch.delenv(REMOTE_HOST, raising=False)


def slowly(title, times):
    time.sleep(0.02)
    return GOOD


def test_all_addresses_share_the_questions_and_each_question_is_asked_once(serve):
    one, two = serve(slowly), serve(slowly)
    kept, tally = ask(Llm(url=one.url, further=[two.url], model="m", concurrency=2), 24)
    assert sorted(question for question, _ in kept) == sorted(f"T{n}" for n in range(24))
    assert sorted(one.asked + two.asked) == sorted(f"T{n}" for n in range(24))
    assert len(one.asked) > 4 and len(two.asked) > 4
    assert tally.outcomes == {ANSWERED: 24}
    assert {reply.address for _, reply in kept} == {one.url, two.url}


def test_a_server_that_dies_in_the_middle_leaves_its_questions_to_the_other(serve):
    def dying(title, times):
        if len(one.asked) > 5:
            threading.Thread(target=one.shutdown).start()
            one.socket.close()
            return 500, "going down"
        return GOOD

    one, two, told = serve(dying), serve(slowly), []
    config = Llm(url=one.url, further=[two.url], model="m", concurrency=2, retries=0, timeout=2)
    kept, tally = ask(config, 60, tell=told.append)
    assert sorted(question for question, _ in kept) == sorted(f"T{n}" for n in range(60))
    assert tally.outcomes == {ANSWERED: 60}


def test_an_address_that_cannot_be_reached_is_left_out_and_said(serve):
    gone, two, told = serve(None), serve(slowly), []
    gone.server_close()
    kept, _ = ask(Llm(url=gone.url, further=[two.url], model="m"), 10, tell=told.append)
    assert len(kept) == len({question for question, _ in kept}) == 10
    assert len(told) == 1 and "cannot reach" in told[0] and gone.url in told[0]


def test_the_last_address_that_fails_stops_the_work(serve):
    gone, broken = serve(None), serve(lambda title, times: (500, "CUDA error"))
    gone.server_close()
    with pytest.raises(FaultError, match="CUDA error"):
        ask(Llm(url=gone.url, further=[broken.url], model="m", retries=0), 100)


def test_garbage_is_a_decision_and_is_not_asked_of_the_others(serve):
    one = serve(lambda title, times: (200, "<html>not a completion</html>") if title in ("T1", "T2") else slowly("", 1))
    two = serve(lambda title, times: (200, "{") if title in ("T1", "T2") else slowly("", 1))
    kept, tally = ask(Llm(url=one.url, further=[two.url], model="m"), 12)
    assert tally.outcomes == {ANSWERED: 10, MALFORMED: 2}
    assert sorted(one.asked + two.asked) == sorted(f"T{n}" for n in range(12))
    assert len(kept) == 12


def test_a_rate_limit_holds_for_all_questions_of_its_server_also_as_a_date(serve):
    times_of = []

    def limited(title, times):
        times_of.append(time.monotonic())
        if len(times_of) == 1:
            until = datetime.now(UTC) + timedelta(seconds=2)
            return 429, "", ("Retry-After", format_datetime(until, usegmt=True))
        return GOOD

    server = serve(limited)
    kept, tally = ask(Llm(url=server.url, model="m", concurrency=1), 4)
    assert len(kept) == 4 and tally.outcomes == {ANSWERED: 4}
    assert times_of[1] - times_of[0] > 0.8, "a header of whole seconds may be up to one short"


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("", []),
        ("gpu-box", ["http://gpu-box:1234/v1"]),
        ("10.0.0.7:8080", ["http://10.0.0.7:8080/v1"]),
        ("https://gpu-box/api/v1", ["https://gpu-box/api/v1"]),
        ("127.0.0.1", []),
    ],
)
def test_a_second_machine_is_named_by_a_variable(monkeypatch, remote, expected):
    monkeypatch.setenv(REMOTE_HOST, remote)
    config = Llm(url="http://127.0.0.1:1234/v1", model="m")
    assert [str(url) for url in addresses(config)] == ["http://127.0.0.1:1234/v1", *expected]


@pytest.mark.parametrize("remote", ["http://me:s3cret@box/v1", "[::1", "ftp://box"])
def test_a_second_machine_that_is_none_is_a_user_error(monkeypatch, remote):
    monkeypatch.setenv(REMOTE_HOST, remote)
    with pytest.raises(UserError, match=REMOTE_HOST) as error:
        addresses(Llm(url="http://127.0.0.1:1234/v1", model="m"))
    assert "s3cret" not in str(error.value)


def test_the_second_machine_is_asked_too(serve, monkeypatch):
    one, two = serve(slowly), serve(slowly)
    monkeypatch.setenv(REMOTE_HOST, f"127.0.0.1:{two.server_port}")
    kept, _ = ask(Llm(url=one.url, model="m", concurrency=2), 20)
    assert len(kept) == 20 and one.asked and two.asked
    assert json.dumps(sorted(one.asked + two.asked)) == json.dumps(sorted(f"T{n}" for n in range(20)))


@pytest.mark.parametrize("text", ["An article that quotes <|im_end|>.", "<|endoftext|>", "</s>", "[INST]"])
def test_a_mark_that_a_document_quotes_is_sent_as_text(text):
    body = chat_body(Llm(url="http://127.0.0.1:1/v1", model="m"), text, text, "form", Form)
    assert [message["content"] for message in body["messages"]] == [disarm(text)] * 2
    assert disarm(text) != text


@pytest.mark.parametrize("event", ["o", "[]", "1", '{"choices": 1}', '{"choices": [1]}', "[" * 100_000])
def test_what_is_no_piece_of_an_answer_is_a_fault_of_who_sent_it(event):
    with pytest.raises(FaultError, match="it sent what is no piece of an answer"):
        read_pieces(f"data: {event}", "it")
    assert read_pieces('data: {"choices": [{"delta": {"content": 3}}]}', "it") == []
