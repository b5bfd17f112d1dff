import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from chat_server import DRIP, completion, llama_server, readable
from deepred.asking.answer_file import read_lines
from deepred.asking.many import ask_all
from deepred.asking.replies import ANSWERED, CONNECTION, MALFORMED, REFUSED, SCHEMA, TIMEOUT, Tally
from deepred.asking.session import estimate
from deepred.base.errors import FaultError, UserError
from deepred.base.tables import article_schema, date_schema, fact_schema, read_rows, write_rows
from deepred.dating.by_model.ask_dates import (
    Question,
    date_undated,
    find_candidates,
    inquiry,
    read_completion,
    record_of,
    request_body,
)
from deepred.dating.by_model.date_answers import Answer
from deepred.dating.dates import date_articles
from deepred.run.config import Dates, Llm
from deepred.run.settings import Settings
from deepred.run.stage import Work

ANSWER = {"known": True, "kind": "idea", "first": 1900, "last": None, "alive": True, "first_known": 1905}
ANSWER |= {"confidence": "low"}
UNKNOWN = ANSWER | {"known": False, "first": None, "first_known": None}


GOOD = (200, completion(json.dumps(ANSWER)))


def questions(count, prefix="T"):
    return [Question(number, f"{prefix}{number}", "Some text.") for number in range(count)]


def ask(server, asked, **config):
    """The outcomes by title, and the tally."""
    kept, tally = {}, Tally()
    config = Llm(url=server.url, model="m", **config)
    ask_all(
        config,
        inquiry(config),
        asked,
        lambda question, reply: kept.__setitem__(question.title, reply),
        tally,
        first_wait=0.01,
    )
    return kept, tally


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (completion(json.dumps(ANSWER)), ANSWERED),
        (completion("```json\n" + json.dumps(ANSWER) + "\n```"), ANSWERED),
        (completion("Here it is: " + json.dumps(ANSWER)), ANSWERED),
        (completion(json.dumps(UNKNOWN)), REFUSED),
        (completion(None, refusal="I cannot help with that."), REFUSED),
        (completion("", finish="content_filter"), REFUSED),
        (completion('{"known": true, "kind": "id', finish="length"), MALFORMED),
        (completion("I do not know."), MALFORMED),
        (completion(""), MALFORMED),
        (completion("{}"), SCHEMA),
        (completion(json.dumps(ANSWER | {"first": "1900"})), SCHEMA),
        (completion(json.dumps(ANSWER | {"last": 1800, "alive": False})), SCHEMA),
        ("{", MALFORMED),
        ("[]", MALFORMED),
        ("null", MALFORMED),
        ('{"choices": []}', MALFORMED),
        ('{"choices": [{"message": null}]}', MALFORMED),
        ('{"error": "out of memory"}', MALFORMED),
    ],
)
def test_a_reply_is_an_answer_a_refusal_or_names_what_is_wrong(body, outcome):
    reply = read_completion(body.encode())
    assert reply.outcome == outcome
    assert (reply.answer is not None) == (outcome == ANSWERED)
    assert reply.detail or outcome in (ANSWERED, REFUSED)


def test_every_article_is_asked_once_and_never_more_at_a_time_than_allowed(serve):
    def slowly(title, times):
        time.sleep(0.02)
        return GOOD

    server = serve(slowly)
    kept, tally = ask(server, questions(24), concurrency=3)
    assert sorted(server.asked) == sorted(kept) == sorted(f"T{n}" for n in range(24))
    assert 1 < server.most <= 3
    assert (tally.replies, tally.tokens_in, tally.tokens_out) == (24, 24 * 300, 24 * 40)
    assert kept["T0"].answer == Answer.model_validate(ANSWER)


def test_a_busy_server_is_asked_again_and_a_refusing_one_is_not(serve):
    busy = {"T0": 429, "T1": 503, "T2": 500}

    def script(title, times):
        if times < 3 and title in busy:
            return busy[title], '{"error": {"message": "busy"}}', ("Retry-After", "0.05")
        return (400, "too long") if title == "T3" else GOOD

    server = serve(script)
    kept, tally = ask(server, questions(5))
    assert set(kept) == {"T0", "T1", "T2", "T4"}
    assert tally.outcomes == {ANSWERED: 4, "http 400": 1}
    assert [server.asked.count(f"T{n}") for n in range(5)] == [3, 3, 3, 1, 1]


def test_the_wait_that_a_server_asks_for_is_kept(serve):
    server = serve(lambda title, times: (429, "", ("Retry-After", "0.4")) if times == 1 else GOOD)
    started = time.monotonic()
    ask(server, questions(1))
    assert time.monotonic() - started >= 0.4


def test_a_timeout_is_tried_again_and_then_counted_but_not_kept(serve):
    def script(title, times):
        if title == "T0" or (title == "T1" and times == 1):
            time.sleep(0.6)
        return GOOD

    server = serve(script)
    kept, tally = ask(server, questions(3), timeout=0.25, retries=1)
    assert set(kept) == {"T1", "T2"}
    assert tally.outcomes == {ANSWERED: 2, TIMEOUT: 1}
    assert server.asked.count("T0") == 2


def test_a_server_that_sends_a_byte_now_and_then_is_timed_out_too(serve):
    _, tally = ask(serve(lambda title, times: (*GOOD, DRIP)), questions(1), timeout=0.3, retries=0)
    assert tally.outcomes == {TIMEOUT: 1}


def test_malformed_replies_and_refusals_are_decisions(serve):
    replies = {"T0": completion("no"), "T1": completion("{}"), "T2": completion(json.dumps(UNKNOWN)), "T3": "{"}
    kept, _ = ask(serve(lambda title, times: (200, replies[title])), questions(4))
    assert {title: reply.outcome for title, reply in kept.items()} == {
        "T0": MALFORMED, "T1": SCHEMA, "T2": REFUSED, "T3": MALFORMED,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ((500, '{"error": {"message": "CUDA error"}}'), r"failed \d+ times in a row \(http 500 \d+\); the last: CUDA"),
        ((400, '{"error": "no such format"}'), "http 400 .*no such format"),
        ((200, completion("I am a model that talks.")), "malformed reply .*json_schema"),
        ((200, completion('{"year": 1900}')), "schema violated .*stronger model"),
        ((401, '{"error": {"message": "bad key"}}'), "HTTP 401, the key is refused: bad key .*DEEPRED_LLM_KEY"),
        ((404, "no model m"), "HTTP 404, there is no such address or model: no model m"),
    ],
    ids=["500", "400", "malformed", "schema", "401", "404"],
)
def test_an_endpoint_that_only_fails_stops_the_work_and_says_why(serve, reply, message):
    server = serve(lambda title, times: reply)
    with pytest.raises(FaultError, match=message):
        ask(server, questions(1000), retries=1)
    assert len(server.asked) < 60


def test_a_server_that_is_not_there_is_said_at_once(serve):
    server = serve(None)
    server.server_close()
    with pytest.raises(FaultError, match=r"cannot reach .*is the server running"):
        ask(server, questions(3))


def test_a_server_that_goes_away_stops_the_work(serve):
    def script(title, times):
        if title == "T5":
            threading.Thread(target=server.shutdown).start()
            server.socket.close()
        return GOOD if title < "T5" else (200, "")

    server = serve(script)
    with pytest.raises(FaultError, match=f"{CONNECTION}|{MALFORMED}"):
        ask(server, questions(100), retries=0, concurrency=1)


def test_the_key_is_sent_and_stands_in_no_record(serve, monkeypatch):
    monkeypatch.setenv("MY_KEY", "s3cret")
    server = serve(lambda title, times: GOOD)
    config = Llm(url=server.url, model="m", key_variable="MY_KEY")
    records = []
    ask_all(
        config, inquiry(config), questions(2), lambda q, reply: records.append(record_of(config, q, reply)), Tally()
    )
    assert server.keys == {"Bearer s3cret"}
    assert "s3cret" not in json.dumps([records, request_body(config, questions(1)[0]), config.model_dump()])


def test_a_key_that_a_server_quotes_is_not_shown(serve, monkeypatch):
    monkeypatch.setenv("DEEPRED_LLM_KEY", "s3cret\n")
    server = serve(lambda title, times: (401, '{"error": {"message": "Incorrect key: s3cret"}}'))
    with pytest.raises(FaultError, match="Incorrect key: \\*\\*\\*"):
        ask(server, questions(1))
    assert server.keys == {"Bearer s3cret"}


@pytest.mark.parametrize("key", ["s3\ncret", "s3crét"])
def test_a_key_that_is_none_is_refused_without_showing_it(serve, monkeypatch, key):
    monkeypatch.setenv("DEEPRED_LLM_KEY", key)
    with pytest.raises(UserError, match="DEEPRED_LLM_KEY is no line") as error:
        ask(serve(lambda title, times: GOOD), questions(1))
    assert "s3c" not in str(error.value)


@pytest.mark.parametrize("url", ["localhost:1234/v1", "", "http://", "ftp://host/v1", "http://[::1/v1"])
def test_an_address_that_is_none_is_a_user_error(url):
    with pytest.raises(UserError, match=r"llm\.url"):
        config = Llm(url=url, model="m")
        ask_all(config, inquiry(config), questions(1), lambda question, reply: None, Tally())


def test_an_address_with_a_password_is_refused():
    config = Llm(url="http://me:s3cret@127.0.0.1:9/v1", model="m")
    with pytest.raises(UserError, match="holds a name or a password") as error:
        ask_all(config, inquiry(config), questions(1), lambda question, reply: None, Tally())
    assert "s3cret" not in str(error.value)


# --- the articles of a run -------------------------------------------------------------------------------------------


def evidence(year, source="lead", kind="start", last=None):
    days = {"first": year * 10000 + 101, "last": (last or year) * 10000 + 1231}
    return [{"kind": kind, **days, "source": source, "confidence": 0.8, "note": ""}]


@pytest.fixture
def run(tmp_path):
    """A run's articles and dates: 40 dated, 20 of them only roughly, and 30 undated, one of them a disambiguation."""
    articles, dates = tmp_path / "articles", tmp_path / "dates"
    blank, undated = dict.fromkeys(article_schema().names), {"first_known": None, "evidence": []}
    rows, days = [], []
    for number in range(70):
        kind = "Dated" if number < 40 else "Undated"
        rows.append(blank | {"page_id": number, "title": f"{kind}{number}", "text": f"Text of {number}."})
        rows[-1]["disambiguation"] = number == 69
        known = {"first_known": 19000101, "evidence": evidence(1900, last=1900 if number < 20 else 1999)}
        days.append(blank_dates(number) | (known if number < 40 else undated))
    for folder in (articles, dates):
        folder.mkdir()
    for part in range(2):
        span = slice(35 * part, 35 * part + 35)
        write_rows(articles / f"articles-{part:05d}.parquet", rows[span], article_schema())
        write_rows(dates / f"dates-{part:05d}.parquet", days[span], date_schema())
    return articles, dates


def blank_dates(number):
    return dict.fromkeys(date_schema().names) | {"page_id": number, "title": "", "ended": False}


def date_run(run, out, server, told=None, plan_only=False, **config):
    lines = [] if told is None else told
    return date_undated(
        *run, out, config=Llm(url=server.url, model="m", **config), seed=1, plan_only=plan_only, tell=lines.append,
        progress=lambda tally, total: None,
    )  # fmt: skip


def test_candidates_are_the_undated_and_a_seeded_sample_of_the_exactly_dated(run):
    found = find_candidates(run[1], 10, seed=1)
    assert (found.dated, found.undated) == (40, 30)
    assert len(found.holdout) == 10 and max(found.holdout) < 20
    assert found == find_candidates(run[1], 10, seed=1)
    assert found.holdout != find_candidates(run[1], 10, seed=2).holdout
    assert len(find_candidates(run[1], 100, seed=1).holdout) == 20


def test_all_undated_and_held_out_articles_are_asked_about_once(run, tmp_path, serve):
    server, out = serve(lambda title, times: GOOD), tmp_path / "answers.jsonl"
    date_run(run, out, server, holdout=10)
    records = list(read_lines(out))
    assert len(records) == len({record["title"] for record in records}) == 39
    assert sum(record["holdout"] for record in records) == 10
    assert all(title.startswith("Dated") for title in server.asked[:6]), "a kill or a limit leaves the sample whole"
    assert "Undated69" not in server.asked
    date_run(run, out, server, holdout=10)
    assert len(server.asked) == 39, "what is decided is not asked again"


def test_another_model_or_instruction_asks_anew(run, tmp_path, serve):
    server, out = serve(lambda title, times: GOOD), tmp_path / "answers.jsonl"
    date_run(run, out, server, holdout=0)
    date_run(run, out, server, holdout=0, options={"temperature": 0.5})
    assert len(server.asked) == 2 * 29


def test_the_plan_states_articles_tokens_and_cost_and_asks_only_a_few(run, tmp_path, serve):
    server, told = serve(lambda title, times: GOOD), []
    date_run(run, tmp_path / "a.jsonl", server, told, plan_only=True, holdout=10, price_in=1000.0, price_out=10000.0)
    assert len(server.asked) == 8
    assert told[0] == "40 articles are dated, 30 are not"
    # 32 more at 300 and 40 tokens, 1,000 and 10,000 a million
    assert told[1].startswith("32 articles to ask about: about 9,600 tokens sent and 1,280 received, cost 22.40")


def test_an_estimate_without_token_counts_goes_by_length():
    found = estimate(Llm(model="m", price_in=1.0), 1000, Tally(), "articles", 2000)
    assert 300_000 < found.tokens_in < 1_000_000
    assert "cost" in str(found)


def test_a_limit_bounds_the_undated_articles(run, tmp_path, serve):
    server = serve(lambda title, times: GOOD)
    date_run(run, tmp_path / "a.jsonl", server, holdout=3, limit=5)
    assert len(server.asked) == 8


def test_the_stage_dates_uses_what_the_command_wrote(run, tmp_path, serve):
    """Also where the article is longer than what the model was given of it."""
    articles, _ = run
    rows = list(read_rows(articles, "articles-00001.parquet"))
    rows[20]["text"] = "Word " * 2000
    write_rows(articles / "articles-00001.parquet", rows, article_schema())
    answers, facts, out = tmp_path / "answers.jsonl", tmp_path / "facts", tmp_path / "out"
    date_run(run, answers, serve(lambda title, times: GOOD), holdout=0)
    for folder in (facts, out):
        folder.mkdir()
    write_rows(facts / "facts-00000.parquet", [], fact_schema())
    date_articles(
        articles=articles, facts=facts, config=Dates(use=["lead", "llm"]), out=out, work=Work(Settings()),
        sources={"answers": [answers]},
    )  # fmt: skip
    found = {row["page_id"]: row["first_known"] for row in read_rows(out, "dates-*.parquet")}
    assert {page for page, known in found.items() if known == 19050101} == set(range(40, 69))


KILLED = """
import sys
from pathlib import Path
from deepred.run.config import Llm
from deepred.dating.by_model.ask_dates import date_undated
articles, dates, out, url = sys.argv[1:]
date_undated(Path(articles), Path(dates), Path(out), config=Llm(url=url, model="m", holdout=5), seed=1,
             plan_only=False, tell=lambda line: None, progress=lambda tally, total: None)
"""


def test_after_a_kill_the_work_goes_on_and_no_decision_is_lost_or_made_twice(run, tmp_path, serve):
    out = tmp_path / "answers.jsonl"

    def slowly(title, times):
        time.sleep(0.03)
        return GOOD

    server = serve(slowly)
    command = [sys.executable, "-c", KILLED, *map(str, run), str(out), server.url]
    process = subprocess.Popen(command)
    while not out.exists() or out.read_bytes().count(b"\n") < 10:
        time.sleep(0.01)
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with out.open("ab") as raw:
        raw.write(b'{"request": "torn by the ki')
    kept = out.read_bytes().splitlines()[:-1]
    assert len(kept) < 34
    told = []
    date_run(run, out, server, told, holdout=5)
    lines = out.read_bytes().splitlines()
    assert lines[: len(kept)] == kept
    titles = [json.loads(line)["title"] for line in lines]
    assert len(titles) == len(set(titles)) == 34
    assert len(server.asked) <= 34 + 4 + 1, "only what was under way is asked again"
    assert "1 line(s) torn" in told[0]


@pytest.mark.needs("gguf")
def test_a_real_server_keeps_the_protocol(run, tmp_path):
    """A random model under llama.cpp: its words mean nothing, but the schema binds them."""
    with llama_server(tmp_path) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPRED_LLM_KEY", "s3cret")
        options = {"temperature": 0.8, "max_tokens": 200} | readable(tmp_path)
        config = Llm(url=url, model="any", concurrency=2, options=options)
        kept, tally = [], Tally()
        ask_all(config, inquiry(config), questions(4), lambda question, reply: kept.append(reply), tally)
        patch.setenv("DEEPRED_LLM_KEY", "wrong")
        with pytest.raises(FaultError, match="HTTP 401"):
            ask_all(config, inquiry(config), questions(1), lambda question, reply: None, Tally())
    assert len(kept) == tally.replies == 4 and set(tally.outcomes) <= {ANSWERED, REFUSED, MALFORMED, SCHEMA}
    assert tally.outcomes[MALFORMED] < 4, "the grammar made from the schema binds the reply"
    assert tally.tokens_in > 4 * 100 and tally.tokens_out > 0
