"""Strangers on the way back from a provider: they cost neither it nor the readers anything."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from api.factory import create_app
from api.state.provider import AT_ONCE
from tests.integration.conftest import serving_app
from tests.oidc import CLIENT, Scripted
from tests.oidc import scripted as scripted
from tests.waiting import eventually
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.configuration.tables import Oidc
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys
from vtox.pipeline.store.system.wrong_keys import DIFFERENT_AT_MOST

pytestmark = pytest.mark.long

HTML = {"Accept": "text/html"}
FAR = {"X-Forwarded-For": "192.0.2.7"}
# More than there are threads that serve requests.
CONNECTIONS = 60


@pytest.fixture
def own(settings: Settings, client: Client, scripted: Scripted, tmp_path: Path) -> Settings:
    oidc = Oidc(issuer=scripted.issuer, client_id=CLIENT, client_secret=SecretStr("s"))
    return load(redis_url=settings.redis_url, data_dir=tmp_path, oidc=oidc)


@pytest.fixture
def service(own: Settings) -> Iterator[httpx.Client]:
    with serving_app(create_app(own)) as http:
        yield http


def begun(http: httpx.Client, scripted: Scripted) -> str:
    """Begin a way, and return the address that the provider would lead back to."""
    sent = http.get("/sign-in/provider", headers=HTML)
    query = parse_qs(urlsplit(sent.headers["location"]).query)
    scripted.claims["nonce"] = query["nonce"][0]
    return f"/sign-in/callback?code=x&state={query['state'][0]}"


def made_up(http: httpx.Client, n: int, **headers: str) -> httpx.Response:
    state = f"{n:08d}"
    cookie = {"Cookie": f"vtox_signin_{state}={state}.n.v.%2F"}
    return http.get(f"/sign-in/callback?code=x&state={state}", headers=HTML | cookie | headers)


def test_a_cookie_that_the_caller_makes_up_asks_nobody(
    service: httpx.Client, scripted: Scripted
) -> None:
    assert made_up(service, 1).status_code == 400
    assert scripted.asked == []


def test_a_way_back_counts_once_whatever_the_provider_says(
    service: httpx.Client, scripted: Scripted
) -> None:
    back = begun(service, scripted)
    scripted.claims["nonce"] = "other"
    cookies = dict(service.cookies)
    assert service.get(back, headers=HTML).status_code == 502
    asked = len(scripted.asked)
    # A client that keeps the cookie sends it again.
    service.cookies.update(cookies)
    assert service.get(back, headers=HTML).status_code == 400
    assert len(scripted.asked) == asked


def test_a_way_may_begin_at_one_process_and_end_at_another(
    own: Settings, service: httpx.Client, scripted: Scripted
) -> None:
    back = begun(service, scripted)
    with serving_app(create_app(own)) as other:
        other.cookies.update(service.cookies)
        assert other.get(back, headers=HTML).status_code == 200


def test_no_free_place_is_a_page_that_tries_again(
    service: httpx.Client, scripted: Scripted
) -> None:
    backs = [begun(service, scripted) for _ in range(AT_ONCE + 1)]
    cookies = dict(service.cookies)
    scripted.exchanges.clear()
    with ThreadPoolExecutor() as pool:
        held = [
            pool.submit(httpx.get, service.base_url.join(b), cookies=cookies) for b in backs[1:]
        ]
        eventually(lambda: scripted.asked.count("exchange") == AT_ONCE)
        began = time.monotonic()
        busy = service.get(backs[0], headers=HTML)
        assert 0.4 < time.monotonic() - began < 5
        scripted.exchanges.set()
        assert AT_ONCE == len([f.result() for f in held])
    assert (busy.status_code, busy.headers["refresh"]) == (503, "3")
    assert "tries again by itself" in busy.text
    again = service.get(backs[0], headers=HTML)
    assert again.status_code == 502, "it was not used up, but the nonce is that of the last way"


def test_an_address_whose_sign_ins_fail_waits(service: httpx.Client, scripted: Scripted) -> None:
    answers = [made_up(service, n, **FAR) for n in range(DIFFERENT_AT_MOST + 1)]
    assert [a.status_code for a in answers] == [400] * DIFFERENT_AT_MOST + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    back = begun(service, scripted)
    assert service.get(back, headers=HTML | FAR).status_code == 429
    assert service.get(back, headers=HTML).status_code == 200, "others do not wait"


def test_readers_do_not_wait_for_those_who_sign_in(
    service: httpx.Client, scripted: Scripted, client: Client
) -> None:
    key = {"X-API-Key": apikeys.create(client, ["read"])[0]}
    scripted.exchanges.clear()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        backs = [begun(service, scripted) for _ in range(CONNECTIONS)]
        cookies = dict(service.cookies)
        flood = [pool.submit(httpx.get, service.base_url.join(b), cookies=cookies) for b in backs]
        eventually(lambda: scripted.asked.count("exchange") == AT_ONCE)
        began = time.monotonic()
        assert service.get("/api/v1/access", headers=key).is_success
        assert time.monotonic() - began < 2
        # Requests without a place are refused before the first of the others is done.
        eventually(lambda: any(f.done() for f in flood))
        scripted.exchanges.set()
        statuses = {f.result().status_code for f in flood}
    assert statuses <= {200, 502, 503}
    assert scripted.asked.count("exchange") < CONNECTIONS
