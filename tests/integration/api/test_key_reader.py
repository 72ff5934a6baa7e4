"""Whom an API over two servers lets in while the first, which has keys and sessions, is away."""

import pytest

from api import key_reader
from api.key_reader import KeyReader
from api.server import Server
from api.servers import AllServers
from vtox.errors import ServerUnavailable
from vtox.partitions import Place
from vtox.settings import Settings
from vtox.store import apikeys, sessions
from vtox.store.apikeys import ApiKey
from vtox.store.client import Client

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def servers(shared: Settings) -> AllServers:
    urls = [str(url) for url in shared.server_urls()]
    return AllServers([Server(Place(i, len(urls)), urls[i].__str__, 5) for i in range(len(urls))])


@pytest.fixture
def reader(servers: AllServers) -> KeyReader:
    return KeyReader(servers)


@pytest.fixture
def new_key(clients: list[Client]) -> tuple[str, ApiKey]:
    return apikeys.create(clients[0], ["read"])


def is_refused(reader: KeyReader, token: str) -> bool:
    try:
        return reader.key_of_session(token) is None
    except ServerUnavailable:
        return True


def test_a_key_confirmed_shortly_before_is_let_in(
    servers: AllServers, reader: KeyReader, new_key: tuple[str, ApiKey]
) -> None:
    assert reader.key_of_text(new_key[0]) == new_key[1]
    servers.all[0].sample()
    servers.all[0].problem = "stopped"
    assert reader.key_of_text(new_key[0]) == new_key[1]


def test_a_key_not_confirmed_for_long_is_refused(
    servers: AllServers,
    reader: KeyReader,
    new_key: tuple[str, ApiKey],
    clients: list[Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_reader, "CONFIRMED_WITHIN_S", 0.0)
    assert reader.key_of_text(new_key[0])
    apikeys.revoke(clients[0], new_key[1].id)
    servers.all[0].sample()
    servers.all[0].problem = "stopped"
    with pytest.raises(ServerUnavailable):
        reader.key_of_text(new_key[0])


def test_an_ended_session_is_refused(
    servers: AllServers, reader: KeyReader, new_key: tuple[str, ApiKey], clients: list[Client]
) -> None:
    ended, goes_on, ended_in_vain = (sessions.begin(clients[0], new_key[1]) for _ in range(3))
    assert all(reader.key_of_session(t) for t in (ended, goes_on, ended_in_vain))
    reader.end_session(ended)
    servers.all[0].problem = "stopped"
    with pytest.raises(ServerUnavailable):
        reader.end_session(ended_in_vain)
    assert [is_refused(reader, t) for t in (ended, goes_on, ended_in_vain)] == [True, False, True]


def test_a_session_lasts_no_longer_than_on_the_server(
    servers: AllServers,
    reader: KeyReader,
    new_key: tuple[str, ApiKey],
    clients: list[Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = sessions.begin(clients[0], new_key[1])
    assert reader.key_of_session(token)
    end_t = sessions.end_t(clients[0], token)
    assert end_t - servers.now_s() == pytest.approx(sessions.LIFETIME_S, abs=60)
    servers.all[0].problem = "stopped"
    # The clock moves, not the test: on a busy box two seconds pass between any two lines.
    monkeypatch.setattr(servers, "now_s", lambda: end_t - 60)
    assert not is_refused(reader, token)
    monkeypatch.setattr(servers, "now_s", lambda: end_t + 1)
    assert is_refused(reader, token)


def test_a_key_seen_again_drops_no_other(
    servers: AllServers, reader: KeyReader, clients: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_reader, "REMEMBERED", 2)
    texts = [apikeys.create(clients[0], ["read"])[0] for _ in range(2)]
    assert all(reader.key_of_text(t) for t in [*texts, texts[1]])
    servers.all[0].problem = "stopped"
    assert all(reader.key_of_text(t) for t in texts)


@pytest.mark.parametrize("several", [True, False])
def test_of_several_a_first_server_that_fails_is_away_for_all(several: bool) -> None:
    servers = AllServers([Server(Place(), NOWHERE.__str__, 5)] * (2 if several else 1))
    with pytest.raises(key_reader.AWAY):
        KeyReader(servers).key_of_text("vtox_id_secret")
    assert bool(servers.all[0].problem) == several
