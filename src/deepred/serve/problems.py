"""Errors over HTTP as problem documents (RFC 9457): what is wrong, what mends it, never a traceback.

A page asked for by a browser gets the same words as HTML, where the application has pages (``render``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger(__name__)

Render = Callable[[Request, "ProblemDocument"], Response]


class ProblemDocument(BaseModel):
    """What a failed request is answered with."""

    type: str = Field(default="about:blank", description="Always `about:blank`: the status says what kind it is.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong with this request, in a sentence.")
    mend: str = Field(default="", description="What mends it, where something does.")


class ProblemError(Exception):
    """A failure with its HTTP status; ``mend`` says what to do about it."""

    def __init__(self, status: int, detail: str, mend: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.mend = mend
        self.headers = dict(headers or {})

    def document(self) -> ProblemDocument:
        """What is sent."""
        title = HTTPStatus(self.status).phrase
        return ProblemDocument(title=title, status=self.status, detail=self.detail, mend=self.mend)


def unavailable(detail: str, mend: str = "", seconds: int = 2) -> ProblemError:
    """Something behind the server is down or busy; asking again later may succeed."""
    return ProblemError(503, detail, mend, {"Retry-After": str(seconds)})


def response_of(problem: ProblemError) -> JSONResponse:
    """A problem as JSON."""
    return JSONResponse(problem.document().model_dump(), problem.status, problem.headers, MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The responses of a route that are problems, for the OpenAPI document."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def wants_page(request: Request) -> bool:
    """Whether a browser asks for a page, not a program for data."""
    path = request.url.path
    return not path.startswith(("/api/", "/mcp")) and "text/html" in request.headers.get("accept", "")


def install(app: FastAPI, render: Render | None = None) -> None:
    """Let an application answer every failure with a problem."""

    def answer(request: Request, problem: ProblemError) -> Response:
        if render is not None and wants_page(request):
            response = render(request, problem.document())
            response.headers.update(problem.headers)
            return response
        return response_of(problem)

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)
        return answer(request, error)

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        detail = "there is nothing at this address" if error.status_code == 404 else str(error.detail)
        return answer(request, ProblemError(error.status_code, detail, headers=error.headers))

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answer(request, ProblemError(422, explain(error)))

    async def on_fault(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return answer(request, ProblemError(500, "the server failed at this request; its log says where"))

    app.add_exception_handler(ProblemError, on_problem)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(Exception, on_fault)


def explain(error: RequestValidationError) -> str:
    """The first fault of a request's parameters or body in a sentence, without repeating what was sent."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part not in {"query", "path", "body"}) or "the body"
    return f"{place}: {first['msg']}"
