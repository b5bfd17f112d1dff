"""The REST interface: search, articles, why, years, a random article, health and chat, each as of a day.

Routes are thin: they read parameters, ask the library (threads) or the speaker (a stream), and answer with the models
of ``records.py``. Nothing here blocks the event loop.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import AfterValidator

from deepred.base.days import Day
from deepred.serve.index.contract import LARGEST_PAGE, LONGEST_QUERY, Mode
from deepred.serve.index.index_records import SearchAnswer, WhyAnswer, YearAnswer
from deepred.serve.index_pool import Library
from deepred.serve.iso_days import FIRST_YEAR, LAST_YEAR, iso_day, parse_day
from deepred.serve.model_beside import Speaker
from deepred.serve.problems import ProblemError, documented
from deepred.serve.records import ArticleAnswer, ChatRequest, Class, HealthAnswer

LARGEST_ID = 2**63 - 1
DEEPEST_PAGE = 1_000_000
LONGEST_TITLE = 512


def _is_day(text: str) -> str:
    parse_day(text)
    return text


# a pattern that only documents: the validator's own words say more than a mismatch does
WRITTEN: dict[str, Any] = {"pattern": r"^-?\d{4,6}(-\d{2}(-\d{2})?)?$"}
DayText = Annotated[str, AfterValidator(_is_day)]
AsOf = Annotated[
    DayText | None,
    Query(
        description="A day, YYYY-MM-DD: nothing of that day or later is told. Default: the run's cutoff; a later day "
        "counts as the cutoff. A year or a month stands for its first day.",
        examples=["1969-07-20"],
        json_schema_extra=WRITTEN,
    ),
]
After = Annotated[
    DayText | None, Query(description="Only subjects first known on that day or later.", json_schema_extra=WRITTEN)
]
PageId = Annotated[int, Path(ge=0, le=LARGEST_ID, description="The article's id.")]
PageNumber = Annotated[int, Query(ge=1, le=DEEPEST_PAGE, description="Which page of the answers, from 1.")]
Cuts = Annotated[
    bool, Query(description="Also what was cut, each sentence marked with its reason: the one way to later text.")
]


@dataclass
class Service:
    """What every route needs."""

    library: Library
    speaker: Speaker


def service_of(request: Request) -> Service:
    """The service of the application that a request came to."""
    return request.app.state.service


def day_of(text: str | None) -> Day | None:
    """A parameter that names a day; it has been checked."""
    return None if text is None else parse_day(text)


FAILURES = documented(400, 401, 404, 413, 414, 421, 422, 429, 503, 504)
router = APIRouter(prefix="/api", responses=FAILURES)


@router.get("/search", summary="Search paragraphs as of a day")
async def search(
    request: Request,
    q: Annotated[
        str,
        Query(min_length=1, max_length=LONGEST_QUERY, description='Words and "quoted phrases"; no other syntax.'),
    ],
    as_of: AsOf = None,
    mode: Annotated[Mode, Query(description="Words and meaning, words alone, or meaning alone.")] = "hybrid",
    classes: Annotated[
        list[Class] | None, Query(alias="class", max_length=4, description="Only articles of this class; repeatable.")
    ] = None,
    source: Annotated[
        list[Literal["wikipedia", "books"]] | None, Query(max_length=2, description="Only this source; repeatable.")
    ] = None,
    after: After = None,
    page: PageNumber = 1,
    size: Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Results of a page.")] = 10,
) -> SearchAnswer:
    """Paragraphs that match, best first; of each only sentences that are told as of the day."""
    return await service_of(request).library.search(
        q, as_of=day_of(as_of), after=day_of(after), classes=tuple(classes or ()), sources=tuple(source or ()),
        mode=mode, page=page, size=size,
    )  # fmt: skip


@router.get("/articles/{page_id}", summary="An article by id")
async def article(request: Request, page_id: PageId, as_of: AsOf = None, cuts: Cuts = False) -> ArticleAnswer:
    """An article as of a day, with its attribution."""
    found = await service_of(request).library.article(page_id, day_of(as_of), cuts)
    return ArticleAnswer.of(found)


@router.get("/articles", summary="An article by title")
async def article_by_title(
    request: Request,
    title: Annotated[str, Query(min_length=1, max_length=LONGEST_TITLE, description="The title, or a redirect to it.")],
    as_of: AsOf = None,
    cuts: Cuts = False,
) -> ArticleAnswer:
    """An article by its title; redirects are followed."""
    found = await service_of(request).library.article(title, day_of(as_of), cuts)
    return ArticleAnswer.of(found)


@router.get("/why/{page_id}", summary="Why an article is told or not")
async def why(request: Request, page_id: PageId, as_of: AsOf = None, cuts: Cuts = False) -> WhyAnswer:
    """A subject's dates, their evidence and its class; with ``cuts``, also of articles that are not told."""
    return await service_of(request).library.why(page_id, day_of(as_of), cuts)


@router.get("/years/{year}", summary="What happened in a year")
async def year(
    request: Request,
    year: Annotated[int, Path(ge=FIRST_YEAR, le=LAST_YEAR, description="Astronomical: 1 BCE is 0, 44 BCE is -43.")],
    as_of: AsOf = None,
    page: PageNumber = 1,
    size: Annotated[int, Query(ge=1, le=500, description="Events of a page.")] = 100,
) -> YearAnswer:
    """Events, births and deaths of a year that lie before the day."""
    return await service_of(request).library.year(year, day_of(as_of), page, size)


@router.get("/random", summary="Any article")
async def random(
    request: Request,
    as_of: AsOf = None,
    seed: Annotated[int | None, Query(ge=0, le=LARGEST_ID, description="The same seed, the same article.")] = None,
) -> ArticleAnswer:
    """An article drawn at random among those told as of the day."""
    return ArticleAnswer.of(await service_of(request).library.random(day_of(as_of), seed))


@router.get(
    "/health",
    summary="Whether the server is ready",
    response_model=HealthAnswer,
    responses={503: {"model": HealthAnswer, "description": "The index does not answer."}},
)
async def health(request: Request, as_of: AsOf = None) -> JSONResponse:
    """200 when the index answers; ``as_of`` changes nothing."""
    answer = await state_of(service_of(request))
    return JSONResponse(answer.model_dump(), 200 if answer.status == "ok" else 503, {"Cache-Control": "no-store"})


async def state_of(service: Service) -> HealthAnswer:
    """How the server is."""
    found = await service.library.health()
    return HealthAnswer(
        status="ok" if found.ready else "unavailable",
        parts={**found.parts, "chat": service.speaker.state()},
        run=found.run,
        cutoff=None if found.cutoff is None else iso_day(found.cutoff),
        counts=found.counts,
        version=found.version,
    )


EVENT = {
    "type": "object",
    "required": ["data"],
    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
}
STREAM = {"text/event-stream": {"itemSchema": EVENT, "example": 'data: {"text": "Good evening."}\n\n'}}


@router.post(
    "/chat",
    summary="Talk to the model",
    response_class=StreamingResponse,
    responses={200: {"content": STREAM, "description": "Pieces of the answer, then the event `done` or `error`."}},
)
async def chat(request: Request, body: ChatRequest) -> StreamingResponse:
    """The model's answer as server-sent events: ``data: {"text": …}``, at last ``event: done`` or ``event: error``."""
    try:
        as_of = day_of(body.as_of)
    except ValueError as error:
        raise ProblemError(422, f"as_of: {error}") from None
    pieces = await service_of(request).speaker.answer(body, as_of)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(pieces), media_type="text/event-stream", headers=headers)


async def _events(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    try:
        async for piece in pieces:
            yield f"data: {json.dumps({'text': piece})}\n\n"
    except ProblemError as problem:
        yield f"event: error\ndata: {problem.document().model_dump_json()}\n\n"
        return
    yield 'event: done\ndata: {"finish": "stop"}\n\n'
