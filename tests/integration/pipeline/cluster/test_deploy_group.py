"""The files of deploy/redis make a Sentinel group that fails over, with a user for each purpose."""

from pathlib import Path

import pytest
import redis

from faults.sentinel_group import Node, SentinelGroup
from tests.cluster import free_ports
from tests.integration.helpers import eventually
from tests.paths import ROOT
from vtox.pipeline.cluster.server_users import GROUP_USERS, ROLES, acl_file, sha256
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.server_urls import complete
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.stream.durability import add_window_on_replicas

FILES = ROOT / "deploy" / "redis"


def replaced(name: str, changes: dict[str, str]) -> str:
    text = (FILES / name).read_text()
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def has_replica(client: Client) -> bool:
    try:
        return bool(client.info("replication")["min_slaves_good_slaves"])
    except redis.RedisError:
        return False


def primary_port(client: Client) -> int:
    try:
        return int(client.info("server")["tcp_port"])
    except redis.RedisError:
        return 0


@pytest.mark.long
def test_the_group_of_the_files_fails_over(tmp_path: Path) -> None:
    passwords = {name: f"password-of-{name}" for name in ("admin", *ROLES, *GROUP_USERS)}
    ports = free_ports(3)
    first = str(ports[0])
    nodes = []
    for port in ports:
        folder = tmp_path / str(port)
        folder.mkdir()
        (folder / "users.acl").write_text(acl_file({n: sha256(p) for n, p in passwords.items()}))
        paths = {"/etc/valkey": str(folder), "dir /data": f"dir {folder}", "bind * -::*": ""}
        nodes.append(node := Node(folder=folder, port=port, sentinel=port == ports[2]))
        if node.sentinel:
            node.config.write_text(
                replaced(
                    "sentinel.conf",
                    paths
                    | {
                        "port 26379": f"port {port}",
                        "FIRST-HOST 6379 2": f"127.0.0.1 {first} 1",
                        "PASSWORD-OF-SENTINELS": "s3cret",
                        "PASSWORD-OF-SENTINEL\n": "password-of-sentinel\n",
                        "down-after-milliseconds vtox 5000": "down-after-milliseconds vtox 500",
                    },
                )
            )
        else:
            text = replaced("valkey.conf", paths | {"\nport 6379": f"\nport {port}"})
            text += replaced("replication.conf", {"PASSWORD-OF-REPLICA": "password-of-replica"})
            text += "" if port == ports[0] else f"replicaof 127.0.0.1 {first}\n"
            node.config.write_text(text)
        node.start()
    group = SentinelGroup(nodes[:2], nodes[2:])
    where = f"127.0.0.1:{ports[2]}/0?service=vtox&sentinel_password=s3cret"
    ingest, admin = (
        connect(complete("URL", f"sentinel://{u}:password-of-{u}@{where}"), u)
        for u in ("ingest", "admin")
    )
    try:
        with ingest, admin:
            eventually(lambda: has_replica(admin), detail=lambda: nodes[1].log.read_text()[-2000:])
            add_window_on_replicas(ingest, {"a": "1"}, 1)
            eventually(lambda: "+slave" in nodes[2].log.read_text())
            nodes[0].kill()
            eventually(lambda: primary_port(admin) == ports[1])
            assert admin.xlen(keys.RAW) == 1
    finally:
        group.stop()
