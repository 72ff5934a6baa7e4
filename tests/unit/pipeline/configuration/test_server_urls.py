"""URLs of servers: no secret is shown, whatever its form, and all clients read the same."""

import re
from pathlib import Path
from traceback import format_exception
from urllib.parse import quote, urlencode

import pytest
import redis
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from kombu import Connection

from vtox.pipeline.configuration import sentinel_urls
from vtox.pipeline.configuration.server_urls import (
    MASK,
    TLS_FILES,
    broker_address,
    complete,
    complete_broker,
    kombu_url,
    mask,
    tls_options,
    unencrypted_host,
)
from vtox.pipeline.errors import SettingsError
from vtox.pipeline.store.server.client import connect
from vtox.pipeline.store.server.sentinels import PrimarySSLConnection, sentinel_options

# Form of a URL -> the same without the secret, if the secret can be recognised.
FORMS = {
    "redis://:{}@h:6379/0": "redis://:***@h:6379/0",
    "redis://fleet:{}@h": "redis://fleet:***@h",
    "redis://{}@h": "redis://***@h",
    "redis://{}:@h": "redis://***@h",
    "rediss://fleet:{}@[::1]:6380/2": "rediss://fleet:***@[::1]:6380/2",
    "redis://h/0?password={}": "redis://h/0?***",
    "redis://h:1/?db=3&password={}": "redis://h:1/?db=3&***",
    "redis://h/0?passwort={}": "redis://h/0?***",
    "unix://fleet:{}@/run/valkey.sock?db=0": "unix://fleet:***@/run/valkey.sock?db=0",
    "unix:///run/valkey.sock?password={}": "unix:///run/valkey.sock?***",
    "REDIS://:{}@h": "REDIS://:***@h",
    "sentinel://fleet:{}@a:1,b:2/0?service=v": "sentinel://fleet:***@a:1,b:2/0?service=v",
    "sentinel://a,b?service=v&sentinel_password={}": "sentinel://a,b?service=v&***",
    "amqp://fleet:{}@h:5672//": "amqp://fleet:***@h:5672//",
    "amqps://fleet:{}@h/vtox": "amqps://fleet:***@h/vtox",
}
SECRETS = st.text(st.characters(codec="utf-8"), min_size=1)
ESCAPED = st.builds(lambda text: quote(text, safe=""), SECRETS)


@given(st.sampled_from(sorted(FORMS)), st.one_of(SECRETS, ESCAPED))
@example("redis://h/0?password={}", "secret")
@example("unix:///run/valkey.sock?password={}", "secret")
@example("redis://:{}@h:6379/0", "p@ss")
@example("redis://:{}@h:6379/0", "half#other")
@example("redis://:{}@h:6379/0", "12/34")
@example("redis://:{}@h:6379/0", "12?34")
@example("redis://h/0?password={}", "half&other")
@example("redis://{}:@h", "secret")
def test_no_piece_of_a_secret_is_shown(form: str, secret: str) -> None:
    assume(":" not in secret or "//{}" not in form)  # before a colon stands the name of a user
    assume(not re.search(r"&(db|service|ssl_\w+)=", secret))
    shown = mask(form.format(secret))
    scheme = form.partition(":")[0]
    assert shown in (FORMS[form], f"{scheme}://***")


@pytest.mark.parametrize("text", ["secret", "", ":secret@redis://h", "redis:secret@h", "//:s@h"])
def test_what_is_no_url_is_not_shown(text: str) -> None:
    assert mask(text) == MASK


def refusal(url: str) -> SettingsError | None:
    try:
        complete_broker("VTOX_BROKER_URL", url)
    except SettingsError as error:
        return error
    return None


@pytest.mark.parametrize("form", sorted(FORMS))
def test_an_unusable_url_is_refused_without_its_secret(form: str) -> None:
    for secret in ("half#other", "half other", "half\nother", "half/@"):
        error = refusal(form.format(secret) + "?other=half")
        assert error, secret
        assert "half" not in "".join(format_exception(error))


@given(SECRETS)
def test_redis_and_celery_read_the_same_password(secret: str) -> None:
    escaped = quote(secret, safe="")
    for url in (
        f"redis://fleet:{escaped}@h:1/3",
        f"redis://h:1/3?username=fleet&password={escaped}",
        f"redis://fleet@h:1?db=3&password={escaped}",
    ):
        whole = complete("VTOX_REDIS_URL", url)
        assert whole == f"redis://fleet:{escaped}@h:1/3"
        kw = connect(whole, "test").connection_pool.connection_kwargs
        assert (kw["username"], kw["password"], kw["db"]) == ("fleet", secret, 3)
        broker = Connection(kombu_url(whole))
        assert (broker.userid, broker.password, broker.virtual_host) == ("fleet", secret, "3")
        assert broker.as_uri() == "redis://fleet:**@h:1/3"


def test_celery_uses_a_unix_socket_too() -> None:
    whole = complete("VTOX_REDIS_URL", "unix://fleet:p%40ss@/run/valkey.sock")
    kw = connect(whole, "test").connection_pool.connection_kwargs
    assert (kw["path"], kw["password"], kw["db"]) == ("/run/valkey.sock", "p@ss", 0)
    broker = Connection(kombu_url(whole))
    assert broker.as_uri() == "redis+socket://fleet:**@/run/valkey.sock"


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1", "redis://:pw@h:1/0", "redis://h"])
def test_a_plain_url_stays_as_it_is(url: str) -> None:
    whole = complete("VTOX_REDIS_URL", url)
    assert whole.rstrip("/") == url


def test_tls_is_always_verified(tmp_path: Path) -> None:
    files = {name: str(tmp_path / name) for name in TLS_FILES}
    for file in files.values():
        Path(file).touch()
    whole = complete("VTOX_REDIS_URL", f"rediss://:pw@db.example?{urlencode(files)}")
    assert tls_options(whole) == {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": "true",
        **files,
    }
    assert whole.startswith("rediss://:pw@db.example/?")
    for weaker in ("ssl_cert_reqs=none", "ssl_cert_reqs=optional", "ssl_check_hostname=false"):
        with pytest.raises(SettingsError, match="ssl_ca_certs"):
            complete("VTOX_REDIS_URL", f"rediss://:pw@db.example?{weaker}")
    with pytest.raises(SettingsError, match="rediss://"):
        complete("VTOX_REDIS_URL", f"redis://:pw@db.example?{urlencode(files)}")


@pytest.mark.parametrize("file", ["ca.pem", "/nowhere/ca.pem"])
def test_a_file_for_tls_that_is_not_there_is_named(file: str) -> None:
    for url in (f"rediss://:s3cret@h?ssl_ca_certs={file}", f"amqps://h/v?ssl_ca_certs={file}"):
        with pytest.raises(SettingsError, match=f"ssl_ca_certs={file} is no file") as raised:
            complete_broker("VTOX_BROKER_URL", url)
        assert "s3cret" not in str(raised.value)


def test_a_refused_url_is_not_in_the_error_of_the_client() -> None:
    with pytest.raises(SettingsError) as raised:
        connect("redis://:half#other@h:1/0", "test")
    assert "half" not in repr(raised.value)
    assert not isinstance(raised.value.__cause__, ValueError | redis.RedisError)


@given(SECRETS)
@settings(max_examples=20)
def test_redis_and_celery_ask_the_same_sentinels(secret: str) -> None:
    escaped = quote(secret, safe="")
    url = f"sentinel://fleet:{escaped}@a:1,b,[::1]:3/2?service=v&sentinel_password={escaped}"
    whole = complete("VTOX_REDIS_URL", url)
    group = sentinel_urls.parse(whole)
    assert group.sentinels == (("a", 1), ("b", 26379), ("::1", 3))
    assert (group.user, group.password, group.db) == ("fleet", secret, 2)
    assert (group.service, group.sentinel_password, group.tls) == ("v", secret, {})
    kw = connect(whole, "test").connection_pool.connection_kwargs
    assert (kw["username"], kw["password"], kw["db"]) == ("fleet", secret, 2)
    broker = Connection(kombu_url(whole))
    assert [Connection(u).as_uri() for u in broker.alt] == [
        "sentinel://fleet:**@a:1/2",
        "sentinel://fleet:**@b:26379/2",
        "sentinel://fleet:**@%3A%3A1:3/2",
    ]
    assert broker.password == secret


def test_tls_reaches_sentinels_and_servers(tmp_path: Path) -> None:
    (ca := tmp_path / "ca.pem").touch()
    whole = complete("VTOX_REDIS_URL", f"sentinels://a,b/0?service=v&ssl_ca_certs={ca}")
    group = sentinel_urls.parse(whole)
    assert group.tls["ssl_ca_certs"] == sentinel_options(group)["ssl_ca_certs"] == str(ca)
    for url in (whole, "sentinels://a,b/0?service=v"):
        assert connect(url, "test").connection_pool.connection_class is PrimarySSLConnection
        assert sentinel_options(sentinel_urls.parse(url))["ssl_cert_reqs"] == "required"


@pytest.mark.parametrize(
    "url",
    [
        "sentinel://a,b/0",
        "sentinel://a:x,b/0?service=v",
        "sentinel://,b/0?service=v",
        "sentinel://a/zero?service=v",
        "sentinel://a/0?service=v&half=other",
    ],
)
def test_a_url_of_sentinels_needs_hosts_and_a_service(url: str) -> None:
    with pytest.raises(SettingsError, match="service=NAME"):
        complete("VTOX_REDIS_URL", url)


def test_an_ipv6_address_may_stand_anywhere_among_the_sentinels() -> None:
    url = complete("VTOX_REDIS_URL", "sentinels://u:pw@a:1,[::1]:3,[fe80::2]/0?service=v")
    assert sentinel_urls.parse(url).sentinels == (("a", 1), ("::1", 3), ("fe80::2", 26379))
    assert mask(url).startswith("sentinels://u:***@a:1,[::1]:3,[fe80::2]/0?")
    assert broker_address(url) == "sentinels://a:1,[::1]:3,[fe80::2]/0"
    assert tls_options(url)["ssl_cert_reqs"] == "required"
    assert unencrypted_host("sentinel://127.0.0.1,[fe80::2]:3/0?service=v") == "fe80::2"
    for wrong in ("a,[::1", "a,::1]", "a,[no]:1", "a,[::1]:x"):
        with pytest.raises(SettingsError, match="service=NAME"):
            complete("VTOX_REDIS_URL", f"sentinel://{wrong}/0?service=v")


def test_sentinels_of_other_hosts_are_named_where_nothing_is_encrypted() -> None:
    assert unencrypted_host("sentinel://127.0.0.1,b:2/0?service=v") == "b"
    assert unencrypted_host("sentinel://127.0.0.1,localhost/0?service=v") == ""
    assert unencrypted_host("sentinels://b/0?service=v") == ""
