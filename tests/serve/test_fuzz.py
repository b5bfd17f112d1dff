"""The OpenAPI document against a server on loopback: whatever it allows or forbids, no answer is a fault."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from shelf import Shelf
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


@pytest.fixture(scope="module")
def document():
    with served(Shelf()) as address:
        yield schemathesis.openapi.from_url(f"{address}/api/openapi.json")


def test_all_operations_are_tried(document):
    found = [result.ok() for result in document.get_all_operations()]
    assert {(operation.path, operation.method.upper()) for operation in found} == set(OPERATIONS)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "forbidden"])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_no_request_makes_the_server_fail(document, path, method, mode):
    @settings(
        max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate], database=None
    )
    @given(case=document[path][method].as_strategy(generation_mode=mode))
    def asked(case):
        case.call_and_validate(checks=CHECKS)

    asked()
