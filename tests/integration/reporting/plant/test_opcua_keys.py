"""OPC UA slows down callers with wrong keys, like HTTP: they are counted and kept in the audit."""

import asyncio
from typing import Any

import pytest

from tests.integration.reporting.plant.conftest import serving
from vtox.motor.values import codec
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys
from vtox.pipeline.store.system.audit import Deed
from vtox.pipeline.store.system.wrong_keys import DIFFERENT_AT_MOST

pytest.importorskip("asyncua", reason="asyncua is not installed: pip install 'vtox[opcua]'")
from asyncua import ua

from tests.integration.reporting.plant.test_opcua_sessions import reader
from vtox.reporting.plant.opcua.users import Users

WRONG = [f"vtox_0000000{n % 10}_wrong{n}" for n in range(DIFFERENT_AT_MOST)]


def attempts(client: Client) -> list[tuple[str, str, Any]]:
    """Address, id of the key and number of each entry about wrong keys."""
    entries = (codec.decode_fields(Deed, fields) for _, fields in client.xrange(keys.AUDIT))
    return [(d.address, d.key_id, d.values["attempts"]) for d in entries if d.code == "wrong_keys"]


def test_an_address_that_tries_keys_is_refused_for_a_while_and_no_other(client: Client) -> None:
    right, _ = apikeys.create(client, ["read"], "control room")
    users = Users(client, may_be_anonymous=False)
    users.address = "10.0.0.7"
    assert [users.get_user(None, "operator", text) for text in WRONG] == [None] * len(WRONG)
    assert users.get_user(None, "operator", right) is None
    users.address = "10.0.0.8"
    assert users.get_user(None, "operator", right) is not None
    users.address = "10.0.0.7"
    assert users.get_user(None, "operator", right) is not None, "confirmed keys pass"
    assert attempts(client) == [("10.0.0.7", "00000000", 1), ("10.0.0.7", "00000009", 10)]


@pytest.mark.long
def test_the_audit_names_the_address_of_the_client(
    client: Client, port: int, command: dict[str, Any]
) -> None:
    apikeys.create(client, ["read"], "control room")

    async def work() -> None:
        with pytest.raises(ua.uaerrors.BadUserAccessDenied):
            await reader(port, WRONG[0]).connect()

    with serving(port, command):
        asyncio.run(work())
    assert attempts(client) == [("127.0.0.1", "00000000", 1)]
