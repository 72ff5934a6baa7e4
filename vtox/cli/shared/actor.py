"""The actor of a command, for the audit: the user of the operating system, on this host."""

import os
import pwd
import socket

from vtox.pipeline.store.system.audit import Actor


def actor() -> Actor:
    """Return who runs this command."""
    return Actor(by=_user(), address=socket.gethostname())


def _user() -> str:
    """Return the name of the user by the system, which no variable of the environment changes."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a user without a name
        return f"uid {os.getuid()}"
