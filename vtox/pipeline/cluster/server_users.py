"""Users of the server (its ACL), one a role, with the least rights that the role's processes need.

The commands inside a script are checked as if its caller had sent them, so that scripts give no
user more rights. The keys of a script must all be allowed in one place, its caller's. The user's
rights on them by other commands are in selectors, in brackets, each with its own keys.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vtox.motor.errors import InputError
from vtox.motor.faults import FAMILIES
from vtox.pipeline.cluster.data_folder import open_private
from vtox.pipeline.configuration import keys

WILDCARD = "*"
# For keys that hold one thing each, whatever its name.
_MACHINE, _KNOWN_WINDOWS, _WORKER, _QUOTA, _FULL_SCALARS = (
    f(WILDCARD)
    for f in (keys.machine, keys.known_windows, keys.worker, keys.quota, keys.full_scalars)
)
_RECORDS = tuple(f(WILDCARD) for f in (keys.ledger, keys.due, keys.attempts))
_OUTPUTS = (
    keys.RESULTS,
    keys.ASSESSMENTS,
    keys.METRICS,
    keys.ALERTS,
    keys.ALARM_ACTIONS,
    keys.DEAD_LETTERS,
)
_RECORDED = (
    keys.RESULTS,
    keys.ASSESSMENTS,
    keys.METRICS,
    keys.ALERTS,
    keys.ALARM_ACTIONS,
    keys.SCALARS,
)
# Written by the monitor and by operators, not by workers.
_NOT_OF_WORKERS = (keys.METRICS, keys.ALARM_ACTIONS)
_QUEUES = tuple(f"{keys.CELERY_PREFIX}{f.queue}*" for f in FAMILIES.values())
# Names that Celery makes: bindings of queues, remote control and its answers, events.
_CELERY = tuple(f"{keys.CELERY_PREFIX}{n}" for n in ("_kombu.*", "*.pidbox*", "celeryev.*"))

CONNECT = "+ping +hello +client|setname +client|setinfo +client|id +select"
TRANSACTIONS = "+multi +exec +discard"
SCRIPTS = f"+eval +evalsha +script|load +script|exists {TRANSACTIONS} +time"
# Limited by the keys that a role may touch; SCAN and RANDOMKEY would show the names of others.
READS = "+@read -@dangerous -scan -randomkey"
WRITES = "+@write -@dangerous -@scripting"
STATE = "+info"
# The number of entries of a stream, and the positions of its readers.
LENGTHS = "+xlen +xinfo|groups"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Role:
    """A user: its purpose, and its rights in the server's notation."""

    about: str
    rights: str


def _keys(*patterns: str, read_only: bool = False) -> str:
    return " ".join(f"{'%R' if read_only else ''}~{pattern}" for pattern in patterns)


def _only(commands: str, *patterns: str) -> str:
    return f"({commands} {_keys(*patterns)})"


def _partitioned(name: str) -> tuple[str, str]:
    """Return the patterns of a key that each partition has (`vtox.pipeline.windows.partitions`)."""
    return name, f"{name}:{WILDCARD}"


def _roles() -> dict[str, _Role]:
    raw, letters = _partitioned(keys.RAW), keys.DEAD_LETTERS
    machines = (keys.MACHINES, _MACHINE, keys.OPEN_ALERTS, keys.FLEET, keys.FLEET_CHANGES)
    counts = (keys.COUNTERS, keys.LATENCY, *_partitioned(keys.PROGRESS))
    outputs = (*_OUTPUTS, keys.EVIDENCE)
    bridge = (
        keys.BROKER,
        *_partitioned(keys.LEASE),
        *_partitioned(keys.BRIDGE),
        keys.PARTITIONS,
        keys.BRIDGES,
        keys.REPLAY_SECRET,
        keys.REFUSALS,
        _KNOWN_WINDOWS,
    )
    # The number of partitions: senders look it up.
    number = f"(+hget +hmget {_keys(keys.PARTITIONS, read_only=True)})"
    # The terms of bridges and workers, with which others compare their own.
    processes = _keys(
        keys.WORKERS,
        _WORKER,
        *_partitioned(keys.LEASE),
        *_partitioned(keys.BRIDGE),
        keys.PARTITIONS,
        keys.RESTORING,
        read_only=True,
    )
    # The rights of a host's supervisor to report: it signs in as the user that its host has.
    absent = f"(+hset +hdel +time {_keys(keys.ABSENT)})"
    monitor = (
        keys.MONITOR,
        keys.ALARMS,
        keys.ALARM_BOOK,
        keys.ALARM_CHANGES,
        keys.WATCH,
        keys.RETENTION_CLOCK,
    )
    # Readers count their unreadable entries.
    counted = _only("+hincrby +hset", keys.UNREADABLE)
    bridge_keys = (*bridge, keys.ABSENT, *monitor, *counts, *machines, *_RECORDS)
    worker = (
        keys.WORKERS,
        _WORKER,
        keys.SCALING,
        keys.ABSENT,
        keys.EVIDENCE_RATE,
        *counts,
        *machines,
        *_RECORDS,
    )
    api = (
        keys.API_KEYS,
        keys.API_KEY_USES,
        keys.session(WILDCARD),
        keys.REPLAY_SECRET,
        keys.RETIRED,
        keys.ALARM_BOOK,
        keys.ALARM_CHANGES,
        keys.ABSENT,
        # The OPC UA server runs as this user.
        keys.OPCUA,
        *machines,
        _KNOWN_WINDOWS,
        _QUOTA,
        _FULL_SCALARS,
    )
    return {
        "ingest": _Role(
            about="senders: adds windows, reads none",
            # `redis-cli --pipe` learns by ECHO that all was answered.
            rights=f"+xadd +wait +waitaof +echo {LENGTHS} {TRANSACTIONS} "
            f"{_keys(*raw, keys.SCALARS)} {number}",
        ),
        "mqtt": _Role(
            about="vtox mqtt: adds windows, registers machines, says which have left",
            rights=" ".join(
                (
                    f"{SCRIPTS} {READS} +wait {_keys(keys.ALERTS, *machines)}",
                    _only(WRITES, *machines),
                    _only("+xadd", *raw, keys.ALERTS, keys.SCALARS),
                    _only("+exists +sismember", _FULL_SCALARS),
                    f"{number} {absent}",
                )
            ),
        ),
        "reader": _Role(
            about="programs that read results, alerts, actions, metrics and dead letters",
            rights=" ".join(
                (
                    f"{TRANSACTIONS} {READS} {_keys(*_OUTPUTS, read_only=True)}",
                    f"({LENGTHS} {_keys(*raw, read_only=True)}) {number}",
                )
            ),
        ),
        "bridge": _Role(
            about="vtox bridge: reads windows, dispatches records, trims, measures",
            rights=" ".join(
                (
                    f"{SCRIPTS} {READS} {STATE} {_keys(*raw, *outputs, keys.AUDIT, *bridge_keys)}",
                    _keys(
                        keys.WORKERS,
                        _WORKER,
                        keys.SCALING,
                        keys.RECORDER,
                        keys.NOTIFIER,
                        keys.OPCUA,
                        keys.UNREADABLE,
                        keys.RESTORING,
                        *_QUEUES,
                        read_only=True,
                    ),
                    _only(WRITES, *bridge_keys),
                    _only("+xreadgroup +xack +xgroup|create +xtrim +xadd +xdel", *raw),
                    counted,
                    # A partition that is no longer in force.
                    _only("+del", raw[1]),
                    _only("+xtrim +xlen +memory|usage +xinfo|stream", keys.SCALARS),
                    _only("+xtrim", *outputs, keys.AUDIT),
                    _only("+xadd", letters, keys.ALERTS, keys.METRICS, keys.SCALARS),
                )
            ),
        ),
        "worker": _Role(
            about="workers: fetch windows, commit results",
            rights=" ".join(
                (
                    f"{SCRIPTS} {READS} {_keys(*raw, *outputs, *worker)}",
                    _keys(
                        *_partitioned(keys.LEASE),
                        *_partitioned(keys.BRIDGE),
                        keys.PARTITIONS,
                        keys.RESTORING,
                        read_only=True,
                    ),
                    _only(WRITES, *worker),
                    _only("+xack", *raw),
                    _only("+xadd", *(o for o in outputs if o not in _NOT_OF_WORKERS), keys.SCALARS),
                )
            ),
        ),
        "recorder": _Role(
            about="vtox recorder: copies results into the history, raises the alarms of scalars",
            rights=" ".join(
                (
                    f"{SCRIPTS} {READS}",
                    _keys(*_RECORDED, keys.RETIRED, keys.RECORDER, read_only=True),
                    # It lists who sends scalars, raises their alarms, acknowledges stored readings.
                    f"{_keys(keys.ALERTS, *machines)} {_only('+hset +hdel', _MACHINE)}",
                    f"{_only('+sadd +srem', keys.OPEN_ALERTS)} {_only('+xadd', keys.ALERTS)}",
                    _only("+xtrim", keys.SCALARS),
                    _only("+zadd +hincrby +hset", keys.MACHINES, keys.FLEET, keys.FLEET_CHANGES),
                    _only("+del +sadd +expire", _FULL_SCALARS),
                    processes,
                    f"(+hset {_keys(keys.RECORDER)}) (+hdel {_keys(keys.RETIRED)}) {absent}",
                    counted,
                )
            ),
        ),
        "notifier": _Role(
            about="vtox notify run: reads alarms and actions, and which machine stands where",
            rights=" ".join(
                (
                    f"+multi +exec +discard +time {READS}",
                    _keys(keys.ALERTS, keys.ALARM_ACTIONS, read_only=True),
                    _keys(
                        *machines,
                        keys.ALARM_BOOK,
                        keys.ALARM_CHANGES,
                        keys.ALARMS,
                        keys.RETENTION_CLOCK,
                        read_only=True,
                    ),
                    processes,
                    f"{_only('+hset +del', keys.NOTIFIER)} {absent}",
                    counted,
                )
            ),
        ),
        "api": _Role(
            about="the HTTP service: reads all, registers machines, adds windows and actions",
            rights=" ".join(
                (
                    f"{SCRIPTS} {READS} {STATE} +wait +waitaof",
                    _keys(*raw, *outputs, keys.AUDIT, "vtox:*"),
                    _only(WRITES, *api),
                    _only("+xadd", *raw, keys.ALERTS, keys.ALARM_ACTIONS, keys.AUDIT, keys.SCALARS),
                    _only("+xdel", letters, keys.AUDIT),
                    counted,
                )
            ),
        ),
        "celery": _Role(
            about="Celery's broker (VTOX_BROKER_URL of bridge and workers): tasks and nothing else",
            rights=f"{_BROKER} +lpush +rpush +brpop +rpop {_keys(*_QUEUES, *_CELERY)} {_CHANNELS}",
        ),
        "flower": _Role(
            about="Flower: events and remote control, no tasks",
            rights=" ".join(
                (
                    f"{_BROKER} +lpush +rpush +brpop {_keys(*_CELERY)}",
                    f"{_keys(*_QUEUES, read_only=True)} {_CHANNELS}",
                )
            ),
        ),
    }


_BROKER = (
    f"{SCRIPTS} +llen +exists +del +unlink "
    "+expire +pexpire +sadd +srem +smembers +sismember +scard +publish +subscribe +psubscribe "
    "+unsubscribe +punsubscribe +pubsub|numsub +zadd +zrem +zrangebyscore +zscore +zcard"
)
# A pattern that is subscribed to must be allowed literally, and Celery's bear the number of the
# database; nothing but remote control and events is published.
_CHANNELS = "&*"
ROLES = _roles()
# Users by which the servers of a Sentinel group and their sentinels know each other.
GROUP_USERS = {
    "replica": "+ping +psync +replconf",
    "sentinel": "+ping +info +role +publish +subscribe +multi +exec +slaveof +replicaof "
    "+config|rewrite +client|setname +client|kill +script|kill &__sentinel__:hello",
}
# The administrator's rights: every command of VTOX, but not FLUSHALL, KEYS, CONFIG, SHUTDOWN,
# MODULE, RESTORE and the like, which VTOX, Celery and Flower do not need; INFO and CLIENT LIST only
# read.
ADMIN = "~* &* +@all -@dangerous +info +client|list"
# No client can sign in as it. But Redis 8.0 and Valkey 8.1 read their log as this user. Without
# rights they would leave out every transaction and script of the log, and start without their
# writes.
DEFAULT_LINE = "user default reset off ~* &* +@all"


def role_password(password: str, role: str) -> str:
    """Return the password of a role on the embedded server, made from that of the administrator."""
    return hmac.new(password.encode(), role.encode(), hashlib.sha256).hexdigest()


def admin_line(name: str, sha256: str) -> str:
    """Return the line of a configuration or an ACL file that defines the administrator."""
    return f"user {name} reset on #{sha256} {ADMIN}"


def role_line(role: str, sha256: str) -> str:
    """Return the line that defines the user of a role; a password is kept as its hash alone."""
    return f"user {role} reset on #{sha256} {CONNECT} {ROLES[role].rights}"


def acl_file(hashes: Mapping[str, str]) -> str:
    """Return the ACL file of a server of one's own: `hashes` of the passwords, by role."""
    roles = [role_line(role, hashes[role]) for role in ROLES]
    group = [f"user {n} reset on #{hashes[n]} {rights}" for n, rights in GROUP_USERS.items()]
    lines = [DEFAULT_LINE, admin_line("admin", hashes["admin"]), *roles, *group]
    return "\n".join(lines) + "\n"


def sha256(password: str) -> str:
    """Return the hash of a password; one of 256 random bits needs no slow one."""
    return hashlib.sha256(password.encode()).hexdigest()


def write_users(folder: Path) -> Iterator[Path]:
    """Write users.acl and passwords.json into a folder, each with new passwords; yield the files.

    Raises `InputError`: a file exists already, or cannot be written.
    """
    passwords = {name: secrets.token_urlsafe(32) for name in ("admin", *ROLES, *GROUP_USERS)}
    files = {
        "users.acl": acl_file({name: sha256(p) for name, p in passwords.items()}),
        "passwords.json": json.dumps(passwords, indent=2) + "\n",
    }
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, text in files.items():
            with open(folder / name, "x", opener=open_private) as file:
                file.write(text)
            yield folder / name
    except FileExistsError as error:
        raise InputError(f"{error.filename} exists", remedy="choose another folder") from error
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}") from error
