"""The pages: search with a timeline, articles with what was cut, years, the report and the pipeline, and the key.

Every page is whole without scripts. Text of articles reaches the page through Jinja's escaping only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from deepred.base.days import Day, day, format_day, year_of
from deepred.base.templating import environment
from deepred.serve.api import AsOf, PageId, PageNumber, day_of, service_of, state_of
from deepred.serve.attribution import attribute
from deepred.serve.guard import CONTENT_SECURITY_POLICY, Buckets, Keys, close_session
from deepred.serve.index.contract import LONGEST_QUERY, MODES, Mode, Narrowed
from deepred.serve.iso_days import FIRST_YEAR, LAST_YEAR, iso_day
from deepred.serve.problems import ProblemDocument, ProblemError
from deepred.serve.records import CLASSES, REASONS, Class
from deepred.serve.web.page_parts import draw, fold, format_year, in_words, is_kept, mark_snippet, span
from deepred.serve.web.run_state import Run

HERE = Path(__file__).parent
RESULTS = 10
TIMELINE_RESULTS = 100
"""Results whose years the timeline shows."""
EVENTS = 100
FRAMING = CONTENT_SECURITY_POLICY + "; frame-src 'self'"
FRAMED = {
    # the report is one file with its styles in it; it runs no script and is framed by the page around it alone
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'self'"
    ),
    "X-Frame-Options": "SAMEORIGIN",
}

Year = Annotated[int | None, Query(ge=FIRST_YEAR, le=LAST_YEAR)]


@dataclass(frozen=True)
class Asked:
    """The fields of the search form, as they came."""

    q: str = ""
    as_of: str = ""
    since: int | None = None
    until: int | None = None
    kind: str = ""
    source: str = ""
    mode: Mode = "hybrid"

    def link(self, **changes: Any) -> str:
        """The address of this search with some fields changed; empty ones are left out."""
        fields = {
            "q": self.q,
            "as_of": self.as_of,
            "from": self.since,
            "to": self.until,
            "class": self.kind,
            "source": self.source,
            "mode": "" if self.mode == "hybrid" else self.mode,
        }
        kept = {name: value for name, value in (fields | changes).items() if value not in (None, "")}
        return f"/search?{urlencode(kept)}"


class Pages:
    """The pages of a server."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
        self._logins = Buckets(rate=0.1, burst=10)
        # its dictionaries are typed as what they hold at first
        self._jinja: Any = environment(HERE / "templates")
        self._jinja.tests["kept"] = is_kept
        self._jinja.filters |= {
            "day": format_day,
            "iso": iso_day,
            "year": format_year,
            "interval": span,
            "in_words": in_words,
        }
        self._jinja.globals |= {"CLASSES": CLASSES, "REASONS": REASONS, "MODES": MODES, "run_name": run.name}
        for path, page in (
            ("/", self.home),
            ("/search", self.search),
            ("/articles", self.by_title),
            ("/articles/{page_id}", self.article),
            ("/random", self.random),
            ("/years", self.year_form),
            ("/years/{year}", self.year),
            ("/report", self.report),
            ("/report/page", self.report_page),
            ("/pipeline", self.pipeline),
            ("/login", self.login),
        ):
            self.router.add_api_route(path, page, methods=["GET"])
        self.router.add_api_route("/login", self.log_in, methods=["POST"])
        self.router.add_api_route("/logout", self.log_out, methods=["POST"])

    async def home(self, request: Request) -> Response:
        """The search, and what there is to search."""
        service = service_of(request)
        state = await state_of(service)
        return await self._page(request, "home.html", asked=Asked(), state=state)

    async def search(
        self,
        request: Request,
        q: Annotated[str, Query(max_length=LONGEST_QUERY)] = "",
        as_of: Annotated[str, Query(max_length=16)] = "",
        since: Annotated[str, Query(alias="from", max_length=8)] = "",
        until: Annotated[str, Query(alias="to", max_length=8)] = "",
        kind: Annotated[Class | Literal[""], Query(alias="class")] = "",
        source: Annotated[Literal["", "wikipedia", "books"], Query()] = "",
        mode: Annotated[Mode, Query()] = "hybrid",
        page: PageNumber = 1,
    ) -> Response:
        """Results with their years."""
        asked = Asked(q.strip(), as_of.strip(), _year(since, "from"), _year(until, "to"), kind, source, mode)
        if not asked.q:
            return RedirectResponse("/", 303)
        library = service_of(request).library
        as_known = await library.as_of(_day(asked.as_of))
        whole = Narrowed(as_of=as_known, classes=_some(kind), sources=_some(source), mode=mode, size=TIMELINE_RESULTS)
        until_then = as_known if asked.until is None else min(as_known, day(asked.until + 1))
        after = None if asked.since is None else day(asked.since)
        ranged = whole | Narrowed(as_of=until_then, after=after, page=page, size=RESULTS)
        found = await library.search(asked.q, **ranged)
        best = (await library.search(asked.q, **whole)).results
        line = draw(year_of(result.first_known) for result in best if result.first_known is not None)
        return await self._page(
            request, "search.html", asked=asked, found=found, line=line, as_known=as_known, marks=mark_snippet,
            chosen=line and line.touched(asked.since, asked.until),
        )  # fmt: skip

    async def by_title(
        self,
        request: Request,
        title: Annotated[str, Query(min_length=1, max_length=512)],
        as_of: Annotated[str, Query(max_length=16)] = "",
    ) -> Response:
        """The way from a title to its article."""
        day_asked = _day(as_of)
        found = await service_of(request).library.article(title, day_asked, cut=day_asked is None)
        asked = f"?{urlencode({'as_of': as_of})}" if as_of else ""
        return RedirectResponse(f"/articles/{found.page_id}{asked}", 303)

    async def article(self, request: Request, page_id: PageId, as_of: AsOf = None) -> Response:
        """An article: as of a day that was named, else with what was cut for the run's cutoff."""
        service = service_of(request)
        asked = day_of(as_of)
        found = await service.library.article(page_id, asked, cut=asked is None)
        state = service.speaker.state()
        texts = [(paragraph, fold(paragraph)) for paragraph in found.paragraphs]
        return await self._page(
            request, "article.html", asked=Asked(as_of=as_of or ""), article=found, texts=texts,
            is_record=asked is None, attribution=attribute(found), chat=state, speaker=service.speaker,
            cuts=sum(not s.kept for p in found.paragraphs for s in p.sentences),
        )  # fmt: skip

    async def random(self, request: Request, as_of: AsOf = None) -> Response:
        """Any article."""
        found = await service_of(request).library.random(day_of(as_of))
        asked = f"?{urlencode({'as_of': as_of})}" if as_of else ""
        return RedirectResponse(f"/articles/{found.page_id}{asked}", 303)

    async def year_form(self, request: Request, year: Year = None) -> Response:
        """The way from a year in the form to its page."""
        return RedirectResponse("/" if year is None else f"/years/{year}", 303)

    async def year(self, request: Request, year: int, as_of: AsOf = None, page: PageNumber = 1) -> Response:
        """What happened in a year."""
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise ProblemError(404, f"years from {FIRST_YEAR} to {LAST_YEAR} have a page")
        found = await service_of(request).library.year(year, day_of(as_of), page, EVENTS)
        return await self._page(request, "year.html", asked=Asked(as_of=as_of or ""), found=found)

    async def report(self, request: Request) -> Response:
        """The report, in a frame of its own."""
        path = await run_in_threadpool(self.run.report)
        page = await self._page(request, "report.html", asked=Asked(), there=path is not None)
        page.headers["Content-Security-Policy"] = FRAMING
        return page

    async def report_page(self, request: Request) -> Response:
        """The report itself."""
        path = await run_in_threadpool(self.run.report)
        if path is None:
            raise ProblemError(404, "this run has no report yet", "deepred run RUN.toml builds it")
        return FileResponse(path, media_type="text/html", headers=FRAMED)

    async def pipeline(self, request: Request) -> Response:
        """How far the run's stages are."""
        stages = await run_in_threadpool(self.run.stages)
        return await self._page(request, "pipeline.html", asked=Asked(), stages=stages)

    async def login(self, request: Request, next: Annotated[str, Query(max_length=2048)] = "/") -> Response:
        """The form that takes the key."""
        return await self._page(request, "login.html", asked=Asked(), next=local_path(next), failed=False)

    async def log_in(
        self,
        request: Request,
        key: Annotated[str, Form(max_length=512)],
        next: Annotated[str, Form(max_length=2048)] = "/",
    ) -> Response:
        """Open a session for who has the key."""
        keys: Keys | None = request.app.state.keys
        client = request.client.host if request.client else ""
        if (wait := self._logins.take(client)) > 0:
            raise ProblemError(429, "too many attempts", headers={"Retry-After": str(int(wait) + 1)})
        target = local_path(next)
        if keys is None or keys.fits(key):
            answer: Response = RedirectResponse(target, 303)
            if keys is not None:
                keys.open_session(request, answer)
            return answer
        page = await self._page(request, "login.html", asked=Asked(), next=target, failed=True)
        page.status_code = 401
        return page

    async def log_out(self, request: Request) -> Response:
        """Close the session."""
        answer = RedirectResponse("/login", 303)
        close_session(answer)
        return answer

    def render_problem(self, request: Request, problem: ProblemDocument) -> Response:
        """A failure as a page."""
        text = self._render("problem.html", asked=Asked(), problem=problem, keyed=request.app.state.keys is not None)
        return HTMLResponse(text, problem.status)

    async def _page(self, request: Request, name: str, **values: Any) -> Response:
        values["keyed"] = request.app.state.keys is not None
        # a long article takes tens of milliseconds: not on the event loop
        return HTMLResponse(await run_in_threadpool(self._render, name, **values))

    def _render(self, name: str, **values: Any) -> str:
        return self._jinja.get_template(name).render(values)


def _some(value: str) -> tuple[str, ...]:
    return (value,) if value else ()


def _day(text: str) -> Day | None:
    try:
        return day_of(text or None)
    except ValueError as error:
        raise ProblemError(422, f"as of: {error}") from None


def _year(text: str, name: str) -> int | None:
    """A year of the form; an empty field is none."""
    if not text.strip():
        return None
    if not text.strip().lstrip("-").isdecimal() or not FIRST_YEAR <= int(text) < LAST_YEAR:
        raise ProblemError(422, f"{name}: a year is a whole number from {FIRST_YEAR} to {LAST_YEAR - 1}")
    return int(text)


def local_path(target: str) -> str:
    """A path on this server; anything that could lead elsewhere becomes ``/``.

    >>> local_path("/search?q=a"), local_path("//evil.example"), local_path("https://evil.example")
    ('/search?q=a', '/', '/')
    """
    is_local = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if is_local else "/"
