import pytest

from persona_sources import complete_sources


@pytest.fixture(scope="session")
def sources(tmp_path_factory):
    return complete_sources(tmp_path_factory.mktemp("sources"))
