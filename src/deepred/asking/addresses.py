"""Where a model is asked: the configured address, further ones that serve it too, and a second machine's.

``REMOTE_HOST`` names that machine, as ``host``, ``host:port`` or a whole address; what it leaves out is taken from the
configured one. It says where a question is answered, not what is asked, and so is a variable and no configuration.
"""

from __future__ import annotations

import os

import httpx

from deepred.base.errors import UserError
from deepred.run.config import Asked

REMOTE_HOST = "REMOTE_HOST"
LOCAL = ("localhost", "127.0.0.1", "::1")
EXAMPLE = "for example http://127.0.0.1:1234/v1"


def addresses(config: Asked) -> list[httpx.URL]:
    """Every address that is asked, each once, the configured one first; ``UserError`` where one is none."""
    found = [_checked(config.url, f"{config.section}.url", config)]
    found += [_checked(url, f"{config.section}.further", config) for url in config.further]
    if remote := os.environ.get(REMOTE_HOST, "").strip():
        found.append(remote_address(remote, found[0], config))
    return list(dict.fromkeys(found))


def remote_address(remote: str, own: httpx.URL, config: Asked) -> httpx.URL:
    """The second machine's address.

    >>> own = httpx.URL("http://127.0.0.1:1234/v1")
    >>> config = Asked.model_construct(section="llm", key_variable="KEY")
    >>> str(remote_address("gpu-box", own, config)), str(remote_address("gpu-box:8080", own, config))
    ('http://gpu-box:1234/v1', 'http://gpu-box:8080/v1')
    """
    if "://" in remote:
        return _checked(remote, REMOTE_HOST, config)
    host = _checked(f"{own.scheme}://{remote}", REMOTE_HOST, config)
    return own.copy_with(host=host.host, port=host.port if host.port is not None else own.port)


def is_local(url: httpx.URL) -> bool:
    """Whether an address is this machine's: no proxy leads there."""
    return url.host in LOCAL


def _checked(text: str, place: str, config: Asked) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise UserError(f"{place} is no address: {error}", EXAMPLE) from None
    if url.userinfo:
        raise UserError(f"{place} holds a name or a password", f"put a key into the variable {config.key_variable}")
    if url.scheme not in ("http", "https") or not url.host:
        raise UserError(f"{place} = {text!r} is no address", EXAMPLE)
    return url
