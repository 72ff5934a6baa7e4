"""The users of the server are written once, and know every key."""

import re

from tests.paths import ROOT
from vtox.pipeline.cluster.server_users import GROUP_USERS, ROLES, acl_file
from vtox.pipeline.configuration import keys


def test_the_file_of_users_in_deploy_is_the_one_that_vtox_writes() -> None:
    hashes = {
        name: f"<sha256 of the password of {name}>" for name in ("admin", *ROLES, *GROUP_USERS)
    }
    assert (ROOT / "deploy/redis/users.acl").read_text() == acl_file(hashes)


def test_every_key_is_given_to_a_role() -> None:
    """A key that no role may write was forgotten, but for those of the administrator."""
    written = {p for role in ROLES.values() for p in re.findall(r" ~(\S+?)\)?(?= |$)", role.rights)}
    names = {v for v in vars(keys).values() if isinstance(v, str) and v.startswith("vtox:")}
    made = {make("*") for make in vars(keys).values() if callable(make)}
    assert (names | made) - {keys.CELERY_PREFIX, keys.RESTORING, keys.SETTINGS} <= written
