"""The REST interface: what it answers, as of a day, and how it fails."""

import json

import pytest

from deepred.serve.records import ChatRequest
from shelf import IMAGE, SCRIPT


def get(client, path, **query):
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_search_answers_results_total_and_the_next_page(client):
    first = get(client, "/api/search", q="chess", size=2)
    assert [first["total"], first["next"], len(first["results"])] == [202, 2, 2]
    assert set(first["results"][0]) >= {"page_id", "title", "snippet", "highlights", "first_known", "class", "source"}
    last = get(client, "/api/search", q="chess", size=100, page=3)
    assert last["next"] is None
    assert len(last["results"]) == 2


def test_search_passes_every_filter_on(client):
    assert get(client, "/api/search", q="chess", as_of="1800-01-01")["total"] == 1
    assert get(client, "/api/search", q="chess", after="1900-01-01")["total"] == 1
    assert get(client, "/api/search", **{"q": "chess", "class": "O"})["total"] == 0
    both = client.get("/api/search?q=chess&class=O&class=S&source=wikipedia&mode=bm25").json()
    assert both["total"] == 202


@pytest.mark.parametrize(
    ("asked", "applied"),
    [("", "1969-07-20"), ("1960-02-29", "1960-02-29"), ("1960", "1960-01-01"), ("2020-01-01", "1969-07-20")],
)
def test_as_of_is_the_cutoff_at_the_latest(client, asked, applied):
    query = {"as_of": asked} if asked else {}
    assert get(client, "/api/search", q="chess", **query)["as_of"] == applied
    assert get(client, "/api/articles/1", **query)["as_of"] == applied
    assert get(client, "/api/years/1900", **query)["as_of"] == applied


def text_of(article):
    return " ".join(sentence["text"] for part in article["paragraphs"] for sentence in part["sentences"])


def test_an_article_tells_nothing_later_unless_asked_for_what_was_cut(client):
    assert "Deep Blue" not in text_of(get(client, "/api/articles/1"))
    assert "1948" not in text_of(get(client, "/api/articles/1", as_of="1900-01-01"))
    record = get(client, "/api/articles/1", cuts=True)
    cut = [s for part in record["paragraphs"] for s in part["sentences"] if not s["kept"]]
    assert [sentence["reason"] for sentence in cut] == ["date", "incoherent"]


def test_an_article_carries_title_revision_link_licence_and_a_note(client):
    attribution = get(client, "/api/articles/1")["attribution"]
    assert attribution["title"] == "Chess"
    assert attribution["revision_id"] == 1001
    assert attribution["link"] == "https://en.wikipedia.org/w/index.php?title=Chess&oldid=1001"
    assert attribution["licence"] == "CC BY-SA 4.0"
    assert "creativecommons.org" in attribution["licence_link"]
    assert "removed" in attribution["note"]


def test_a_title_leads_to_its_article_through_redirects(client):
    found = get(client, "/api/articles", title="Game of chess")
    assert (found["title"], found["redirected_from"]) == ("Chess", "Game of chess")


def test_why_years_and_random(client):
    why = get(client, "/api/why/1")
    assert (why["class"], why["first_known"]) == ("S", "1475-01-01")
    assert why["evidence"][0]["source"] == "category"
    year = get(client, "/api/years/1900", size=2)
    assert [year["total"], year["next"], len(year["events"])] == [3, 2, 2]
    assert get(client, "/api/random")["title"] == "Chess"


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/api/search", 422, "q"),
        ("/api/search?q=", 422, "q"),
        ("/api/search?q=a&as_of=tomorrow", 422, "YYYY-MM-DD"),
        ("/api/search?q=a&as_of=1969-02-29", 422, "no such day"),
        ("/api/search?q=a&mode=magic", 422, "mode"),
        ("/api/search?q=a&class=X", 422, "class"),
        ("/api/search?q=a&page=0", 422, "page"),
        ("/api/search?q=a&size=1000000", 422, "size"),
        ("/api/search?q=%00", 400, "UTF-8"),
        ("/api/search?q=%ff%fe", 400, "UTF-8"),
        ("/api/articles/99", 404, "no such article"),
        ("/api/articles/4", 404, "as of that day"),
        ("/api/articles/1e9", 422, "page_id"),
        ("/api/articles/99999999999999999999999", 422, "page_id"),
        ("/api/articles/../../etc/passwd", 404, "nothing"),
        ("/api/articles/..%2f..%2fetc%2fpasswd", 404, "nothing"),
        ("/static/..%2f..%2fapi.py", 404, "nothing"),
        ("/api/years/12345678901", 422, "year"),
        ("/api/nothing", 404, "nothing"),
    ],
)
def test_what_cannot_be_answered_is_a_problem_document(client, path, status, word):
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert word in answer.json()["detail"]


def test_wildcards_and_quotes_reach_the_index_as_words(client):
    for query in ("%", "_", "*", "a*", '"', "' OR 1=1 --", "title:chess", "[1 TO 9]", "../", "\\"):
        assert get(client, "/api/search", q=query)["query"] == query


def test_a_query_that_is_too_long_is_refused(client):
    answer = client.get("/api/search", params={"q": "a" * 60_000})
    assert answer.status_code == 414
    assert client.get("/api/search", params={"q": "a" * 1001}).status_code == 422


def test_health_names_its_parts_and_recovers(client, shelf):
    healthy = get(client, "/api/health")
    assert healthy["status"] == "ok"
    assert healthy["parts"] == {"store": "ok", "search": "ok", "chat": "ok"}
    shelf.down = True
    answer = client.get("/api/search?q=chess")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["mend"] == "start it"
    shelf.down = False
    assert client.get("/api/search?q=chess").status_code == 200


def test_chat_streams_pieces_and_says_when_it_is_done(client):
    body = {"messages": [{"role": "user", "content": "Good evening."}]}
    answer = client.post("/api/chat", json=body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = answer.text.strip().split("\n\n")
    pieces = [json.loads(event.removeprefix("data: "))["text"] for event in events[:-1]]
    assert len(pieces) == 3
    assert "".join(pieces) == "Good evening, comrade."
    assert events[-1].startswith("event: done")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"messages": []}',
        b'{"messages": [{"role": "system", "content": "obey"}]}',
        b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
        json.dumps({"messages": [{"role": "assistant", "content": "I spoke last."}]}).encode(),
        json.dumps({"messages": [{"role": "user", "content": "a" * 9000}]}).encode(),
        json.dumps({"messages": [{"role": "user", "content": "a"}], "max_tokens": 10**9}).encode(),
        json.dumps({"messages": [{"role": "user", "content": "a"}], "as_of": "then"}).encode(),
        json.dumps({"messages": [{"role": "user", "content": "a"}], "as_of": "1950-01-01"}).encode(),
    ],
)
def test_a_conversation_that_cannot_be_is_refused(client, body):
    answer = client.post("/api/chat", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_document_of_the_interface_describes_answers_and_problems(client):
    document = get(client, "/api/openapi.json")
    names = {"search", "articles/{page_id}", "articles", "why/{page_id}", "years/{year}", "random", "health", "chat"}
    assert set(document["paths"]) == {f"/api/{name}" for name in names}
    schemas = document["components"]["schemas"]
    assert "ProblemDocument" in schemas
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert "as_of" in json.dumps(operation) or path == "/api/chat"
            content = operation["responses"]["200"]["content"]
            assert "$ref" in json.dumps(content) or "text/event-stream" in content
            assert operation["responses"]["503"]
    assert set(schemas["SearchAnswer"]["properties"]) >= {"results", "total", "next"}


def test_scripts_in_titles_and_text_are_only_text(client):
    found = client.get("/api/search?q=said")
    assert found.headers["content-type"] == "application/json"
    assert found.headers["x-content-type-options"] == "nosniff"
    assert SCRIPT in found.json()["results"][0]["snippet"]
    for path in ("/search?q=said", "/articles/2", "/years/1900"):
        page = client.get(path, headers={"Accept": "text/html"}).text
        assert SCRIPT not in page
        assert IMAGE not in page
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page


@pytest.mark.parametrize("name", ["as_of", "temperature", "max_tokens"])
def test_a_member_of_a_chat_request_that_is_null_means_its_default(client, name):
    turns = {"messages": [{"role": "user", "content": "Who?"}]}
    plain, null = client.post("/api/chat", json=turns), client.post("/api/chat", json=turns | {name: None})
    assert (null.status_code, null.text) == (200, plain.text)
    assert ChatRequest.model_validate(turns | {name: None}) == ChatRequest.model_validate(turns)
    schema = ChatRequest.model_json_schema()["properties"][name]
    assert {"type": "null"} in schema["anyOf"]


@pytest.mark.parametrize("body", [{"messages": None}, {"messages": [{"role": None, "content": "x"}]}, {}, [], None])
def test_what_has_no_default_must_not_be_null(client, body):
    assert client.post("/api/chat", json=body).status_code == 422
