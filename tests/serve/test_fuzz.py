"""The OpenAPI document against a server on loopback: whatever it allows or forbids, no answer is a fault."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from shelf import REDIRECTS, Shelf
from shelf_server import served

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
OPERATIONS = [
    ("/api/search", "GET"),
    ("/api/articles/{page_id}", "GET"),
    ("/api/articles", "GET"),
    ("/api/why/{page_id}", "GET"),
    ("/api/years/{year}", "GET"),
    ("/api/random", "GET"),
    ("/api/health", "GET"),
    ("/api/chat", "POST"),
]


KNOWN = {
    "page_id": [article.page_id for article in Shelf().articles],
    "title": [*(article.title for article in Shelf().articles), *REDIRECTS],
}
"""What names an article: a schema can only draw such a thing by chance, and then all answers are 404."""


@pytest.fixture(scope="module")
def document():
    with served(Shelf()) as address:
        yield schemathesis.openapi.from_url(f"{address}/api/openapi.json")


def test_all_operations_are_tried(document):
    found = [result.ok() for result in document.get_all_operations()]
    assert {(operation.path, operation.method.upper()) for operation in found} == set(OPERATIONS)


def naming_known_articles(case, data):
    """The request, about an article that there is: in three of four."""
    for place in (case.path_parameters, case.query):
        for name in KNOWN.keys() & set(place or ()):
            if data.draw(st.integers(0, 3)):
                place[name] = data.draw(st.sampled_from(KNOWN[name]))


def ask(document, path, method, mode, examples, prepare=lambda case, data: None):
    """The statuses that requests of a mode were answered with; whatever is against the document fails."""
    statuses = []

    @settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate],
        database=None,
    )  # fmt: skip
    @given(case=document[path][method].as_strategy(generation_mode=mode), data=st.data())
    def asked(case, data):
        prepare(case, data)
        statuses.append(case.call_and_validate(checks=CHECKS).status_code)

    asked()
    return statuses


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_allowed_requests_are_answered(document, path, method):
    assert 200 in ask(document, path, method, GenerationMode.POSITIVE, 40, naming_known_articles)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_no_request_makes_the_server_fail(document, path, method):
    ask(document, path, method, GenerationMode.NEGATIVE, 12)
