"""What `vtox doctor` says before it connects to anything."""

import pytest

from vtox.monitoring.doctor import transport
from vtox.settings import load


@pytest.mark.parametrize(
    ("redis_url", "broker_url", "names"),
    [
        ("redis://:pw@db.example:6379", None, ["VTOX_REDIS_URL"]),
        (
            "redis://:pw@10.0.0.1",
            "amqp://vtox:pw@mq.example",
            ["VTOX_REDIS_URL", "VTOX_BROKER_URL"],
        ),
        ("rediss://:pw@db.example", "amqps://vtox:pw@mq.example", []),
        ("redis://:pw@127.0.0.1:6379", "amqp://vtox:pw@localhost", []),
        ("redis://[::1]:6379", None, []),
        ("unix:///run/valkey.sock", None, []),
        (None, None, []),
    ],
)
def test_a_password_that_travels_unencrypted_is_a_warning(
    redis_url: str | None, broker_url: str | None, names: list[str]
) -> None:
    found = list(transport(load(redis_url=redis_url, broker_url=broker_url)))
    assert [c.observed.partition(" ")[0] for c in found] == names
    assert all(c.status == "warn" and "pw@" not in c.observed for c in found)
