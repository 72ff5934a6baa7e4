"""`VTOX_BROKER_URL`: accepted values, and messages without a password."""

import pytest

from vtox.pipeline.configuration import server_urls
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.errors import SettingsError

PASSWORD = "s3cret"


@pytest.mark.parametrize(
    "url", ["amqp://h", "amqp://u:p%2F@h:5672/vtox", "amqps://u:p@h//", "redis://:p@h:6379/1"]
)
def test_brokers_are_rabbitmq_or_redis(url: str) -> None:
    assert load(broker_url=url).working_broker_url() == url


@pytest.mark.parametrize(
    "url",
    [
        f"http://u:{PASSWORD}@h",
        f"amqp://u:{PASSWORD}@h:port",
        f"amqp://u:{PASSWORD}#x@h",
        f"amqp://u:{PASSWORD}/x@h",
        f"amqp://u:{PASSWORD}@h1;amqp://u:{PASSWORD}@h2",
        f"amqp://u@h?password={PASSWORD}",
        f"{PASSWORD}",
    ],
)
def test_a_refused_broker_url_shows_no_password(url: str) -> None:
    with pytest.raises(SettingsError, match="VTOX_BROKER_URL") as refused:
        load(broker_url=url).working_broker_url()
    assert PASSWORD not in str(refused.value)


def test_the_address_of_a_broker_has_no_user_and_no_password() -> None:
    assert server_urls.broker_address(f"amqp://u:{PASSWORD}@h:5672//") == "amqp://h:5672"
    assert server_urls.broker_address(f"amqps://u:{PASSWORD}@h/vtox") == "amqps://h/vtox"
