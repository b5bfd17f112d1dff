"""The MCP tools through the SDK's in-memory client: bounded, as of a day, whole when put together."""

import json

import anyio
import pytest
from mcp import Client

from deepred.serve.index_pool import Library
from deepred.serve.mcp import MOST_TOKENS, build_mcp
from deepred.serve.model_beside import Speaker
from shelf import LONG, Shelf
from shelf_server import a_speaker

WIRE_BYTES = 60_000
"""About 15,000 tokens: clients refuse replies of 25,000."""


def run(conversation, index=None, speaker=None):
    """Hold a conversation with the server through a client in memory."""

    async def hold():
        library = Library(index or Shelf())
        try:
            async with Client(build_mcp(library, speaker or a_speaker())) as client:
                return await conversation(client)
        finally:
            library.close()

    return anyio.run(hold)


def call(name, **arguments):
    """The structured reply of a tool; what is refused is raised as the client would see it."""

    async def conversation(client):
        return await client.call_tool(name, arguments)

    reply = run(conversation)
    if reply.is_error:
        raise ValueError(reply.content[0].text)
    assert len(reply.model_dump_json()) < WIRE_BYTES
    assert json.loads(reply.content[0].text) == reply.structured_content
    return reply.structured_content


def test_every_tool_takes_a_day_and_describes_what_it_takes_and_returns():
    async def conversation(client):
        return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in run(conversation)}
    assert set(tools) == {"search", "get_article", "article_dates", "year_topics", "ask_deepred"}
    for tool in tools.values():
        assert "as_of" in tool.input_schema["properties"]
        assert tool.description
        assert tool.output_schema["type"] == "object"
        assert tool.annotations.read_only_hint


def test_search_returns_bounded_pages():
    found = call("search", query="chess", size=20)
    assert len(found["results"]) == 20
    assert (found["total"], found["next_page"]) == (202, 2)
    assert [source["revision_id"] for source in found["sources"]] == [1001, 1002, 1003]
    assert all(source["licence"] == "CC BY-SA 4.0" and source["link"] and source["note"] for source in found["sources"])
    assert call("year_topics", year=1900)["sources"][0]["title"] == "Chess"
    assert call("article_dates", title="Chess")["attribution"]["revision_id"] == 1001
    assert call("search", query="chess", as_of="1500-01-01")["total"] == 1


def test_an_article_comes_in_portions_that_make_it_whole():
    whole, cursor, portions = "", "", 0
    while True:
        reply = call("get_article", title="Long", max_tokens=3000, cursor=cursor)
        assert reply["tokens"] <= 3000
        whole += ("\n\n" if whole else "") + reply["text"]
        portions += 1
        if reply["next_cursor"] is None:
            break
        cursor = reply["next_cursor"]
    assert portions > 3
    assert whole == "\n\n".join(p.sentences[0].text for p in LONG.paragraphs)


def test_an_article_is_read_by_section_with_contents_and_attribution():
    reply = call("get_article", title="Game of chess", section="history")
    assert reply["text"].startswith("## History\n\nA machine called the Turk")
    assert "### Machines" in reply["text"]
    assert "board game" not in reply["text"]
    assert [part["title"] for part in reply["sections"]] == ["History", "Machines", "Play"]
    assert call("get_article", page_id=1, section="2")["text"] == "### Machines\n\nSuch machines were rare in 1960."
    attribution = reply["attribution"]
    assert attribution["licence"] == "CC BY-SA 4.0"
    assert "oldid=1001" in attribution["link"]
    assert attribution["note"]


def test_nothing_later_than_the_day_comes_back():
    assert "1997" not in call("get_article", title="Chess")["text"]
    early = call("get_article", title="Chess", as_of="1800-01-01")
    assert "1770" in early["text"]
    assert "1948" not in early["text"]
    with pytest.raises(ValueError, match="as of that day"):
        call("article_dates", title="Chess", as_of="1400-01-01")
    assert call("year_topics", year=1900)["total"] == 3
    assert call("year_topics", year=1900, as_of="1900-01-02")["total"] == 1


@pytest.mark.parametrize(
    ("name", "arguments", "word"),
    [
        ("get_article", {}, "name the article"),
        ("get_article", {"title": "Nothing"}, "no such article"),
        ("get_article", {"title": "Chess", "section": "Nothing"}, "there are: History"),
        ("get_article", {"title": "Chess", "cursor": "1.2.3"}, "cursor"),
        ("get_article", {"title": "Chess", "cursor": "18000101.0.1.0"}, "another as_of"),
        ("get_article", {"title": "Chess", "cursor": "19690720.0.99.0"}, "beyond the end"),
        ("get_article", {"title": "Chess", "as_of": "yesterday"}, "YYYY-MM-DD"),
        ("get_article", {"title": "Chess", "max_tokens": MOST_TOKENS + 1}, "max_tokens"),
        ("search", {"query": ""}, "query"),
        ("search", {"query": "a" * 1001}, "query"),
        ("search", {"query": "a", "size": 1000}, "size"),
        ("ask_deepred", {"question": "Who?", "as_of": "1900-01-01"}, "cannot be asked as of an earlier day"),
    ],
)
def test_what_cannot_be_answered_is_said_so_that_a_model_can_mend_it(name, arguments, word):
    with pytest.raises(ValueError, match=word):
        call(name, **arguments)


def test_the_dated_model_is_asked():
    reply = call("ask_deepred", question="Good evening?")
    assert reply == {"answer": "Good evening, comrade.", "persona": "Deep Red", "knowledge_ends": "1969-07-20"}


def test_without_a_model_the_tool_says_what_mends_it():
    async def conversation(client):
        return await client.call_tool("ask_deepred", {"question": "Who?"})

    reply = run(conversation, speaker=Speaker("", absent="this run has no model yet"))
    assert reply.is_error
    assert "deepred run" in reply.content[0].text


def test_a_backend_that_is_down_is_an_error_of_the_tool_and_comes_back():
    index = Shelf()

    async def conversation(client):
        index.down = True
        first = await client.call_tool("search", {"query": "chess"})
        index.down = False
        return first, await client.call_tool("search", {"query": "chess"})

    first, second = run(conversation, index)
    assert first.is_error
    assert "does not answer" in first.content[0].text
    assert not second.is_error


def test_resources_are_dated_and_attributed_and_prompts_name_the_tools():
    async def conversation(client):
        templates = (await client.list_resource_templates()).resource_templates
        about = await client.read_resource("deepred://about")
        article = await client.read_resource("deepred://1800-01-01/articles/1")
        year = await client.read_resource("deepred://1969-07-20/years/1900")
        prompts = (await client.list_prompts()).prompts
        prompt = await client.get_prompt("research", {"topic": "chess", "as_of": "1900-01-01"})
        return templates, about, article, year, prompts, prompt

    templates, about, article, year, prompts, prompt = run(conversation)
    assert {template.uri_template for template in templates} == {
        "deepred://{as_of}/articles/{page_id}",
        "deepred://{as_of}/years/{year}",
    }
    assert "1969-07-20" in about.contents[0].text
    text = article.contents[0].text
    assert "1770" in text
    assert "1948" not in text
    assert "CC BY-SA 4.0" in text
    assert "Event 1" in year.contents[0].text
    assert {found.name for found in prompts} == {"research", "explain_dating", "compare_memory"}
    assert "as_of=1900-01-01" in prompt.messages[0].content.text


WITH_OPTIONS = {
    "search": {"query": "chess"},
    "get_article": {"title": "Chess"},
    "article_dates": {"title": "Chess"},
    "year_topics": {"year": 1900},
    "ask_deepred": {"question": "Who?"},
}


def optional_arguments():
    async def conversation(client):
        return (await client.list_tools()).tools

    for tool in run(conversation):
        for name in set(tool.input_schema["properties"]) - set(tool.input_schema.get("required", ())):
            yield tool.name, name


def test_an_argument_that_is_null_means_its_default():
    pairs = [pair for pair in optional_arguments() if pair[1] not in WITH_OPTIONS[pair[0]]]
    assert len(pairs) > 12
    for tool, name in pairs:
        given = WITH_OPTIONS[tool]
        assert call(tool, **given, **{name: None}) == call(tool, **given), (tool, name)
    for tool, given in WITH_OPTIONS.items():
        assert call(tool, **given, **{name: None for other, name in pairs if other == tool}) == call(tool, **given)


def test_a_null_title_beside_an_id_is_no_title():
    assert call("get_article", title=None, page_id=1)["title"] == "Chess"


@pytest.mark.parametrize(("tool", "name"), [("search", "query"), ("year_topics", "year"), ("ask_deepred", "question")])
def test_what_has_no_default_must_not_be_null(tool, name):
    with pytest.raises(ValueError, match=name):
        call(tool, **{name: None})


@pytest.mark.parametrize("asked", [{"name": "nope"}, {"name": "research", "arguments": {"wrong": "x"}}])
def test_prompt_that_cannot_be_had_is_the_clients_error_and_no_traceback(client, caplog, asked):
    body = {"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": asked}
    headers = {"Host": "127.0.0.1", "Accept": "application/json, text/event-stream"}
    answer = client.post("/mcp", json=body, headers=headers).json()
    assert answer["error"]["code"] == -32602
    assert not [record for record in caplog.records if record.exc_info]
