"""A server of the shelf in this process."""

import pytest
from fastapi.testclient import TestClient

from deepred.serve.index_pool import Library
from deepred.serve.server import Parts, build_app
from deepred.serve.web.run_state import Run
from shelf import Shelf
from shelf_server import a_speaker


@pytest.fixture(scope="module")
def shelf():
    return Shelf()


@pytest.fixture(scope="module")
def client(shelf):
    parts = Parts(Library(shelf), a_speaker(), run=Run("demo"))
    with TestClient(build_app(parts), base_url="http://127.0.0.1", follow_redirects=False) as found:
        yield found
    assert shelf.closed
