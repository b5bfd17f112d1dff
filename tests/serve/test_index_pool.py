"""The index behind an event loop: bounded, timed, and never in the way of a health check."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from deepred.serve.index.contract import UnavailableError
from deepred.serve.index_pool import Limits
from shelf import Shelf
from shelf_server import served

CLIENTS = 200


def test_health_answers_while_two_hundred_clients_search():
    index = Shelf(seconds=0.2)  # five seconds of searches by eight threads
    with served(index, limits=Limits(threads=8, seconds=30)) as address:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        with httpx.Client(base_url=address, timeout=40, limits=limits) as client:
            start = threading.Barrier(CLIENTS + 1)

            def search(number):
                start.wait(30)
                return client.get("/api/search", params={"q": "chess", "page": number % 5 + 1}).status_code

            with ThreadPoolExecutor(CLIENTS) as pool:
                answers = [pool.submit(search, number) for number in range(CLIENTS)]
                start.wait(30)
                waiting = []
                while not all(answer.done() for answer in answers):
                    assert client.get("/api/health").status_code == 200
                    waiting.append(sum(not answer.done() for answer in answers))
                    time.sleep(0.05)
                assert {answer.result() for answer in answers} == {200}
    assert max(waiting) > CLIENTS // 4, "health waited its turn behind the searches"


def test_a_slow_index_is_given_up_and_the_server_goes_on():
    index = Shelf()
    with (
        served(index, limits=Limits(threads=2, waiting=4, seconds=0.2)) as address,
        httpx.Client(base_url=address) as client,
    ):
        assert client.get("/api/random").status_code == 200
        index.seconds = 0.8
        with ThreadPoolExecutor(12) as pool:
            codes = [
                answer.result().status_code for answer in [pool.submit(client.get, "/api/random") for _ in range(12)]
            ]
        assert set(codes) <= {503, 504}
        assert set(codes) == {503, 504}  # some outlasted their time, the rest found too many waiting
        assert client.get("/api/health").status_code == 200
        index.seconds = 0
        deadline = time.monotonic() + 10
        while client.get("/api/random").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)


class Stuck(Shelf):
    """An index whose health check hangs."""

    def health(self):
        time.sleep(3.0)
        return super().health()


def test_a_health_check_that_hangs_is_answered_in_time():
    with served(Stuck(), limits=Limits(health_seconds=0.2)) as address:
        began = time.monotonic()
        answer = httpx.get(f"{address}/api/health")
        assert time.monotonic() - began < 2.5
        assert answer.status_code == 503
        assert "no answer" in answer.json()["parts"]["index"]


@pytest.mark.parametrize("path", ["/api/search?q=chess", "/api/articles/1", "/api/years/1900", "/api/random"])
def test_a_backend_that_is_down_is_503_and_recovers_by_itself(client, shelf, path):
    shelf.down = True
    answer = client.get(path)
    shelf.down = False
    assert answer.status_code == 503
    assert answer.json()["detail"] == "the database does not answer"
    assert "retry-after" in answer.headers
    assert client.get(path).status_code == 200


def test_a_server_starts_while_its_backend_is_down_and_comes_up_with_it():
    index = Shelf()
    index.down = True
    with served(index) as address, httpx.Client(base_url=address) as client:
        assert client.get("/api/health").status_code == 503
        page = client.get("/", headers={"Accept": "text/html"})
        assert "does not answer" in page.text
        index.down = False
        time.sleep(1.1)  # the last state of health is told for a second
        assert client.get("/api/health").status_code == 200


def test_the_error_of_the_contract_is_the_one_that_is_mapped():
    index = Shelf()
    index.down = True
    with pytest.raises(UnavailableError):
        index.search("chess")
