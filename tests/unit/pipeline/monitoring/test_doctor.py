"""The lines of `vtox doctor` before it connects to anything."""

from pathlib import Path

import pytest

from vtox.pipeline.configuration.settings import load
from vtox.pipeline.monitoring.host_checks import is_built_by_profile, room_for_windows, transport


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


@pytest.mark.parametrize(
    ("megabytes", "folder", "status", "says"),
    [
        (0, ".", "pass", "switched off"),
        (256, "none", "pass", "none on this system"),
        (1, ".", "pass", "room for 1 MB"),
        (1 << 30, ".", "warn", "MB free, needs 1073741824 MB"),
    ],
)
def test_too_little_shared_memory_is_a_warning(
    tmp_path: Path, megabytes: int, folder: str, status: str, says: str
) -> None:
    (found,) = room_for_windows(load(shared_windows_mb=megabytes), tmp_path / folder)
    assert found.status == status
    assert says in found.observed
    assert bool(found.remedy) == (status == "warn")


@pytest.mark.parametrize(
    ("variables", "by_profile"),
    [
        # As pyenv builds by itself, as python.org, conda and uv do, as Debian does, Windows.
        ({"CONFIG_ARGS": "'--enable-shared'", "installed_base": "/home/me/.pyenv"}, False),
        ({"CONFIG_ARGS": "'--enable-optimizations'", "installed_base": "/usr/local"}, True),
        ({"CONFIG_ARGS": "'--enable-shared'", "installed_base": "/usr"}, None),
        ({"installed_base": "C:\\Python"}, None),
    ],
)
def test_an_interpreter_tells_whether_a_profile_guided_its_build(
    variables: dict[str, str], by_profile: bool | None
) -> None:
    assert is_built_by_profile(variables) is by_profile
