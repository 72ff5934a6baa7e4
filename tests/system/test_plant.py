"""`vtox up` with what passes health on: started, answering, started again, and ended with it."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from tests.cluster import Cluster, cluster, free_ports
from tests.waiting import eventually
from vtox.cluster.ports import process_on_port
from vtox.store.system import apikeys

pytest.importorskip("mcp", reason="mcp is not installed: pip install 'vtox[mcp]'")
from mcp.client import Client as McpClient
from mcp.client.streamable_http import streamable_http_client

FEW = [a for role in ("workers", "recorder", "flower") for a in ("--without", role)]


def pid_at(port: int, *, but: int = 0) -> int:
    """Wait for a process other than one at a port."""
    process = eventually(lambda: (p := process_on_port(port)) and p.pid != but and p)
    return int(process.pid)


def keys_of(running: Cluster) -> list[str]:
    with running.client() as client:
        return [apikeys.create(client, [scope], scope)[0] for scope in ("read", "operate")]


def ask(port: int, key: str) -> tuple[bool, str]:
    """Return whether a call is refused over HTTP, and what is said."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def inner() -> Any:
        async with httpx2.AsyncClient(headers=headers) as http_client:
            transport = streamable_http_client(
                f"http://127.0.0.1:{port}/mcp", http_client=http_client
            )
            async with McpClient(transport) as opened:
                return await opened.call_tool("fleet", {})

    answer = asyncio.run(inner())
    return answer.is_error, answer.content[0].text


def test_what_passes_health_on_runs_beside_the_api(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with cluster(tmp_path, *FEW, VTOX_MCP_PORT=str(port)) as running:
        eventually(lambda: "VTOX is up" in running.log.read_text())
        first = pid_at(port)
        reader, operator = keys_of(running)
        answers = [ask(port, key) for key in (reader, operator, "vtox_nobody", "")]
        psutil.Process(first).kill()
        last = pid_at(port, but=first)
        again = ask(port, reader)
    assert [refused for refused, _ in [*answers, again]] == [False, True, True, True, False]
    assert "may change alarms or machines" in answers[1][1]
    assert "unknown, revoked or expired" in answers[2][1]
    assert "Bearer" in answers[3][1]
    assert not psutil.pid_exists(last)
