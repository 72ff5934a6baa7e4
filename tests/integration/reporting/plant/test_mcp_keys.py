"""`vtox mcp --http` passes on its callers: wrong keys are slowed down and kept in the audit."""

import asyncio
import subprocess
from typing import Any

import httpx
import httpx2
import pytest

from tests.cluster import free_ports
from tests.waiting import eventually
from vtox.pipeline.cluster import parent_watch
from vtox.pipeline.cluster.ports import accepts_connections
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys
from vtox.pipeline.store.system.wrong_keys import DIFFERENT_AT_MOST

pytest.importorskip("mcp", reason="mcp is not installed: pip install 'vtox[mcp]'")
from mcp.client import Client as McpClient
from mcp.client.streamable_http import streamable_http_client

# Reserved for documentation; a proxy on this host says that it serves this client.
CALLER = "203.0.113.9"


def said(port: int, key: str) -> str:
    """The answer of a tool to a client elsewhere with this key."""

    async def ask() -> Any:
        headers = {"authorization": f"Bearer {key}", "x-forwarded-for": CALLER}
        url = f"http://127.0.0.1:{port}/mcp"
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            McpClient(streamable_http_client(url, http_client=http)) as opened,
        ):
            return await opened.call_tool("fleet", {})

    return str(asyncio.run(ask()).content[0].text)


@pytest.mark.long
def test_wrong_keys_are_slowed_down_by_the_address_of_their_client(
    fresh_http: httpx.Client, client: Client
) -> None:
    key, _ = apikeys.create(client, ["read"], "assistant")
    (port,) = free_ports(1)
    command = parent_watch.command_watching_parent(
        "vtox", "mcp", str(fresh_http.base_url), "--http"
    )
    environment = parent_watch.child_environment({"VTOX_MCP_PORT": str(port)})
    with subprocess.Popen(command, env=environment) as process:
        try:
            eventually(lambda: accepts_connections("127.0.0.1", port))
            assert '"machines"' in said(port, key)
            for n in range(DIFFERENT_AT_MOST):
                assert "unknown" in said(port, f"vtox_0000000{n % 10}_wrong")
            assert "too many wrong API keys" in said(port, "vtox_0000000a_wrong")
            assert '"machines"' in said(port, key)
        finally:
            process.kill()
    addresses = {e.get(b"address") for _, e in client.xrange(keys.AUDIT)}
    assert addresses == {CALLER.encode()}
