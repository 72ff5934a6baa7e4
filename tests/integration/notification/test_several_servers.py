"""One notifier follows all servers that share the machines: each alarm arrives once."""

from pathlib import Path

from tests.integration.history.entries import add_alert
from tests.integration.notification.conftest import NOTIFY, hook, rules_of
from tests.integration.notification.receiver import Receiver
from tests.integration.notification.test_delivery import running, settled
from tests.waiting import eventually
from vtox import keys
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.history.database import engine_to_write, migrate
from vtox.notification import outbox
from vtox.notification.notifier import Notifier
from vtox.notification.outbox import NewDelivery
from vtox.settings import Settings, load
from vtox.store.client import Client, connect
from vtox.store.servers import connect_servers


def raise_alarm(client: Client, machine_id: str, entry_id: str) -> None:
    fields = {"id": f"{machine_id}:bearing:1", "machine_id": machine_id, "fault": "bearing"}
    fields |= {"level": "warning", "event": "raised", "t": "5", "code": "x", "reason": "impacts"}
    client.xadd(keys.ALERTS, fields, id=entry_id)


def test_entries_of_two_servers_with_one_id_are_two_messages(
    shared: Settings, clients: list[Client], receiver: Receiver
) -> None:
    rules = rules_of({"hook": hook(receiver)})
    first, second = (Notifier(clients, shared, rules, NOTIFY) for _ in range(2))
    first.try_once()
    for client, m in zip(clients, ("A", "B"), strict=True):
        raise_alarm(client, m, "4000000000000-0")
    with running(first), running(second):
        eventually(lambda: len(receiver.taken) == 2)
        eventually(lambda: settled(first))
    ids = ["vtox_alert_4000000000000_0", "vtox_alert_4000000000000_0_s2"]
    assert sorted(receiver.taken) == ids


def test_a_server_that_is_away_holds_back_no_other(receiver: Receiver, tmp_path: Path) -> None:
    with EmbeddedServer(load(data_dir=tmp_path / "a")) as a:
        with EmbeddedServer(load(data_dir=tmp_path / "b")) as b:
            settings = load(redis_urls=f"{a.url},{b.url}", data_dir=tmp_path)
            servers = list(connect_servers(settings.shared_urls(), "notifier"))
            notifier = Notifier(servers, settings, rules_of({"hook": hook(receiver)}), NOTIFY)
            notifier.try_once()
        with running(notifier), connect(a.url, "test") as client:
            add_alert(client, 5.0)
            eventually(lambda: receiver.taken)
            eventually(lambda: notifier.problem)


def test_what_comes_late_for_a_digest_goes_into_another(settings: Settings) -> None:
    engine = engine_to_write(settings)
    migrate(engine)

    def gather(message_id: str) -> list[int]:
        new = delivery(message_id, "gathered")
        assert outbox.add(engine, [], [new], [])
        return [row_id for row_id, _ in outbox.gathered(engine, "hook", 7)]

    for message_id in ("one", "two"):
        ids = gather(message_id)
        for _ in range(2):  # two notifiers do the same
            outbox.replace_by_digest(engine, ids, delivery("digest", "waiting"))
    assert outbox.gathered(engine, "hook", 7) == []
    sent = []
    while (row_id := outbox.next_due(engine, "hook", 9)) is not None:
        claimed = outbox.claim(engine, row_id, 9, 10)
        assert claimed
        sent.append(claimed.message_id)
        outbox.settle_delivered(engine, claimed, 9)
    assert sent == ["digest", f"digest_{ids[0]}"]
    engine.dispose()


def delivery(message_id: str, state: outbox.State) -> NewDelivery:
    return NewDelivery(
        target="hook",
        message_id=message_id,
        alarm_id="",
        machine_id="",
        state=state,
        body="{}",
        created_ms=1,
        due_ms=7,
    )
