"""The encyclopedia for LLM clients, over the Model Context Protocol: five tools, resources and prompts.

Every tool takes ``as_of``: nothing of that day or later is returned, and no tool returns what was cut. Every reply is
bounded: a page, a portion, or an answer, with what leads to the next.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, CallToolResult, GetPromptResult, InputRequiredResult, ToolAnnotations
from pydantic import Field

from deepred import __version__
from deepred.base.days import Day
from deepred.serve.article_portions import Cursor, CursorError, find_section, read_portion
from deepred.serve.attribution import Attribution, attribute
from deepred.serve.index.contract import LONGEST_QUERY, Mode, Narrowed
from deepred.serve.index.index_records import Article
from deepred.serve.index_pool import Library
from deepred.serve.iso_days import iso_day, parse_day
from deepred.serve.mcp_replies import (
    ArticleReply,
    DatesReply,
    Found,
    Reply,
    SearchReply,
    SectionReply,
    YearReply,
)
from deepred.serve.model_beside import LocalModel, Speaker
from deepred.serve.problems import ProblemError
from deepred.serve.records import CLASSES, ChatRequest, Turn

MOST_TOKENS = 6_000
"""Of an article's portion; twice this goes over the wire, as text and structured."""
MOST_RESULTS = 20
MOST_EVENTS = 100
MOST_SECTIONS = 100
MOST_EVIDENCE = 50
MOST_SOURCES = 20
EVENT_CHARACTERS = 400

T = TypeVar("T")

AsOf = Annotated[
    str,
    Field(
        description="A day (YYYY-MM-DD): nothing of that day or later is returned. Empty, or later than the "
        "encyclopedia's own cutoff: the cutoff.",
        max_length=16,
    ),
]
Title = Annotated[str, Field(description="The article's title, or a redirect to it.", max_length=512)]
PageId = Annotated[int | None, Field(description="The article's id, instead of its title.", ge=0, le=2**63 - 1)]


INSTRUCTIONS = """An encyclopedia as of a day. What it returns was known before `as_of`; sentences that may speak of \
later were removed. Search first, then read articles by section. `ask_deepred` talks to a small model whose knowledge \
ends on the cutoff: its answers are testimony of what it knows, not facts. Articles are under the licence that their \
attribution names: cite title, revision and link."""


class Desk:
    """The tools: an encyclopedia and a model, asked as of a day."""

    def __init__(self, library: Library, speaker: Speaker) -> None:
        self.library = library
        self.speaker = speaker

    async def search(
        self,
        query: Annotated[str, Field(description='Words and "quoted phrases".', min_length=1, max_length=LONGEST_QUERY)],
        as_of: AsOf = "",
        mode: Annotated[Mode, Field(description="Words and meaning, words alone, or meaning alone.")] = "hybrid",
        classes: Annotated[
            list[Literal["O", "S", "U"]] | None,
            Field(description="Only subjects over before the cutoff (O), spanning it (S), undated (U).", max_length=3),
        ] = None,
        first_known_after: Annotated[
            str, Field(description="Only subjects first known on that day or later.", max_length=16)
        ] = "",
        page: Annotated[int, Field(ge=1, le=1000)] = 1,
        size: Annotated[int, Field(description="Results of a page.", ge=1, le=MOST_RESULTS)] = 8,
    ) -> SearchReply:
        """Search the encyclopedia's paragraphs as of a day; returns snippets, with page ids for get_article."""
        day = await self._day(as_of)
        after = _parsed(first_known_after) if first_known_after else None
        wanted = Narrowed(as_of=day, after=after, classes=tuple(classes or ()), mode=mode, page=page, size=size)
        found = await _told(self.library.search(query, **wanted))
        return SearchReply(
            as_of=day,
            results=[Found.model_validate(result) for result in found.results],
            total=found.total,
            next_page=found.next,
            sources=await self._sources([result.page_id for result in found.results], day),
        )

    async def get_article(
        self,
        title: Title = "",
        page_id: PageId = None,
        as_of: AsOf = "",
        section: Annotated[
            str, Field(description="A heading or its number: only that section and what is below it.", max_length=512)
        ] = "",
        max_tokens: Annotated[int, Field(description="Tokens at most.", ge=50, le=MOST_TOKENS)] = 2_000,
        cursor: Annotated[str, Field(description="Where to go on: next_cursor of a reply.", max_length=64)] = "",
    ) -> ArticleReply:
        """Read an article as of a day, whole or by section, in portions; with contents and attribution."""
        found = await self._article(title, page_id, as_of)
        try:
            number = find_section(found, section)
            start = Cursor.parse(cursor, found.as_of) if cursor else Cursor(found.as_of, number, 0, 0)
            portion = read_portion(found, start, max_tokens)
        except CursorError as error:
            raise ToolError(str(error)) from None
        return ArticleReply(
            page_id=found.page_id,
            title=found.title,
            as_of=found.as_of,
            text=portion.text,
            tokens=portion.tokens,
            next_cursor=portion.next.text() if portion.next else None,
            sections=[SectionReply.model_validate(part) for part in found.sections[:MOST_SECTIONS]],
            attribution=attribute(found),
        )

    async def article_dates(self, title: Title = "", page_id: PageId = None, as_of: AsOf = "") -> DatesReply:
        """When an article's subject began, ended and was first known, with the evidence, as known on a day."""
        day = await self._day(as_of)
        found = await _told(self.library.article(_page(title, page_id), day))
        why = found.dates
        return DatesReply(
            page_id=why.page_id,
            title=why.title,
            as_of=day,
            first=why.first,
            last=why.last,
            first_known=why.first_known,
            class_at_cutoff=f"{why.kind}: {CLASSES[why.kind]}" if why.kind in CLASSES else "",
            evidence=list(why.evidence[:MOST_EVIDENCE]),
            evidence_total=len(why.evidence),
            attribution=attribute(found),
        )

    async def year_topics(
        self,
        year: Annotated[int, Field(description="Astronomical: 1 BCE is 0, 44 BCE is -43.", ge=-200_000, le=9999)],
        as_of: AsOf = "",
        page: Annotated[int, Field(ge=1, le=1000)] = 1,
        size: Annotated[int, Field(description="Events of a page.", ge=1, le=MOST_EVENTS)] = 40,
    ) -> YearReply:
        """Events, births and deaths of a year that lie before a day."""
        day = await self._day(as_of)
        found = await _told(self.library.year(year, day, page, size))
        events = [replace(event, text=event.text[:EVENT_CHARACTERS]) for event in found.events]
        sources = await self._sources([event.page_id for event in events], day)
        return YearReply(
            year=year, as_of=found.as_of, events=events, total=found.total, next_page=found.next, sources=sources
        )

    async def ask_deepred(
        self,
        question: Annotated[
            str, Field(description="One question, without earlier turns.", min_length=1, max_length=4000)
        ],
        as_of: AsOf = "",
        max_tokens: Annotated[int, Field(description="Tokens of the answer at most.", ge=1, le=1024)] = 300,
    ) -> Reply:
        """Ask the small language model whose knowledge ends on the cutoff; it may be wrong, and it cannot be dated
        earlier than its own cutoff."""
        asked = ChatRequest(messages=[Turn(role="user", content=question)], max_tokens=max_tokens, temperature=0)
        day = _parsed(as_of) if as_of else None
        answer = await _told(self.speaker.say(asked, day))
        return Reply(answer=answer, persona=self.speaker.persona, knowledge_ends=self.speaker.cutoff)

    async def about(self) -> str:
        """What this encyclopedia is: its run, cutoff and size."""
        health = await self.library.health()
        counts = ", ".join(f"{count:,} {name}" for name, count in health.counts.items())
        cutoff = iso_day(await _told(self.library.cutoff()))
        return f"Run {health.run}; cutoff {cutoff} (the first day that is not told); {counts}.\n\n{INSTRUCTIONS}"

    async def read_article(self, as_of: str, page_id: str) -> str:
        """An article as of a day, as text with its attribution; the first part where it is long."""
        if not page_id.isdecimal() or len(page_id) > 18:
            raise ResourceNotFoundError("an article's id is a number")
        found = await _read(self._article("", int(page_id), as_of))
        portion = read_portion(found, Cursor(found.as_of, 0, 0, 0), MOST_TOKENS)
        more = f"\n\n[get_article goes on: cursor {portion.next.text()}]" if portion.next else ""
        return f"# {found.title}\n\n{portion.text}{more}\n\n---\n{attribute(found).line()}\n"

    async def read_year(self, as_of: str, year: str) -> str:
        """A year's events before a day, a line each."""
        if not year.removeprefix("-").isdecimal() or len(year) > 7:
            raise ResourceNotFoundError("a year is a number")
        found = await _read(self.year_topics(int(year), as_of, size=MOST_EVENTS))
        lines = [f"{iso_day(event.first)} {event.kind}: {event.text}" for event in found.events]
        more = [f"[{found.total - len(found.events):,} more: year_topics]"] if found.next_page else []
        return "\n".join([f"# {year}, told as of {iso_day(found.as_of)}", "", *lines, *more]) + "\n"

    async def _sources(self, pages: Sequence[int], day: Day) -> list[Attribution]:
        """Attribution of articles, each once; one that is not told as of the day has none."""
        found: list[Attribution] = []
        for page in list(dict.fromkeys(pages))[:MOST_SOURCES]:
            with suppress(ProblemError):
                found.append(attribute(await self.library.article(page, day)))
        return found

    async def _day(self, as_of: str) -> Day:
        return await _told(self.library.as_of(_parsed(as_of) if as_of.strip() else None))

    async def _article(self, title: str, page_id: int | None, as_of: str) -> Article:
        day = await self._day(as_of)
        return await _told(self.library.article(_page(title, page_id), day))


async def _told(asked: Awaitable[T]) -> T:
    """What the server has to say of a failure, for the model to read."""
    try:
        return await asked
    except ProblemError as problem:
        raise ToolError(f"{problem.detail} ({problem.mend})" if problem.mend else problem.detail) from None


async def _read(asked: Awaitable[T]) -> T:
    try:
        return await asked
    except ToolError as error:
        raise ResourceError(str(error)) from None


def _parsed(text: str) -> Day:
    try:
        return parse_day(text)
    except ValueError as error:
        raise ToolError(f"{error}") from None


def _page(title: str, page_id: int | None) -> int | str:
    if page_id is not None:
        return page_id
    if not title.strip():
        raise ToolError("name the article by title or page_id")
    return title


def research(topic: str, as_of: str = "") -> str:
    """Write about a topic from the encyclopedia only, as of a day."""
    when = f" as of {as_of}" if as_of else ""
    return (
        f"Write an overview of {topic}{when}, from this encyclopedia only. Use `search` and `get_article`"
        f"{f' with as_of={as_of}' if as_of else ''}; say nothing that they do not say, and nothing of later. Name the "
        "articles that you used with their revision and licence."
    )


def explain_dating(title: str) -> str:
    """Explain when a subject was first known, and by what evidence."""
    return (
        f"Use `article_dates` for the article {title!r}. Say when its subject began, ended and was first known, which "
        "evidence decides, and where pieces of evidence disagree."
    )


def compare_memory(question: str) -> str:
    """Compare what the dated model says with what the dated encyclopedia says."""
    return (
        f"Ask `ask_deepred`: {question!r}. Then look the matter up with `search` and `get_article`. Say where the "
        "model's answer agrees with the encyclopedia, where it is wrong, and where it speaks of what it cannot know."
    )


class Server(MCPServer[Any]):
    """A server for which an argument that is null is one that was left out: many clients write out what they leave."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool; what is null takes its default, and is missing where there is none."""
        given = {key: value for key, value in arguments.items() if value is not None}
        return await super().call_tool(name, given, context)

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """Get a prompt; what is wrong with the request is the client's to hear, and no traceback in the log."""
        try:
            return await super().get_prompt(name, arguments, context)
        except ValueError as error:
            raise MCPError(INVALID_PARAMS, str(error)) from None


def build_mcp(library: Library, speaker: Speaker) -> MCPServer[Any]:
    """The MCP server of an encyclopedia and its model."""
    server = Server("deepred", title="Deep Red", instructions=INSTRUCTIONS, version=__version__, log_level="WARNING")
    desk = Desk(library, speaker)
    closed = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
    server.tool(title="Search as of a day", annotations=closed)(desk.search)
    server.tool(title="Read an article as of a day", annotations=closed)(desk.get_article)
    server.tool(title="What dates a subject", annotations=closed)(desk.article_dates)
    server.tool(title="What happened in a year", annotations=closed)(desk.year_topics)
    server.tool(title="Ask the dated model", annotations=closed)(desk.ask_deepred)
    text: dict[str, Any] = {"mime_type": "text/plain"}
    server.resource("deepred://about", title="About this encyclopedia", **text)(desk.about)
    server.resource("deepred://{as_of}/articles/{page_id}", title="An article as of a day", **text)(desk.read_article)
    server.resource("deepred://{as_of}/years/{year}", title="A year as of a day", **text)(desk.read_year)
    server.prompt(title="Research as of a day")(research)
    server.prompt(title="Explain a subject's dates")(explain_dating)
    server.prompt(title="Compare model and encyclopedia")(compare_memory)
    return server


def run_stdio(library: Library, speaker: Speaker, model: LocalModel | None = None) -> None:
    """Serve one client over standard input and output until it closes them; what else is printed goes astray safely."""
    server = build_mcp(library, speaker)
    if model is not None:
        model.start()
    try:
        server.run("stdio")
    finally:
        if model is not None:
            model.stop()
        library.close()
