"""Write the settings of each role: a file `ROLE.toml` with the URLs that have its password.

    vtox config users secrets && python deploy/role_settings.py secrets valkey:6379

The files are for containers: `VTOX_CONFIG` names one.
"""

import json
import os
import secrets
import sys
from pathlib import Path

# Users of the server, by role: of the streams, and of Celery's broker.
USERS = {
    "bridge": ("bridge", "celery"),
    "worker": ("worker", "celery"),
    "recorder": ("recorder", None),
    "notifier": ("notifier", None),
    "mqtt": ("mqtt", None),
    "api": ("api", None),
    # It reads the keys that may sign in, as the API does.
    "opcua": ("api", None),
    "flower": ("flower", None),
    "admin": ("admin", "celery"),
}


def settings(role: str, passwords: dict[str, str], server: str, scheme: str = "redis") -> str:
    """Return the TOML of a role; `server` is HOST:PORT."""
    stream, broker = USERS[role]
    lines = {"redis_url": f"{scheme}://{stream}:{passwords[stream]}@{server}/0"}
    if broker:
        lines["broker_url"] = f"{scheme}://{broker}:{passwords[broker]}@{server}/0"
    if role == "flower":
        lines["flower_password"] = secrets.token_urlsafe(24)
    return "".join(f'{name} = "{value}"\n' for name, value in lines.items())


def main(folder: Path, server: str, scheme: str = "redis") -> None:
    """Write the files, for their owner alone; none is overwritten."""
    passwords = json.loads((folder / "passwords.json").read_text())
    for role in USERS:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with open(os.open(folder / f"{role}.toml", flags, 0o600), "w") as file:
            file.write(settings(role, passwords, server, scheme))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
