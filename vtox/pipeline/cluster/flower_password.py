"""The password of Flower, whose pages show the content of tasks to every user of this host."""

import secrets

from vtox.pipeline.cluster.data_folder import open_private, translate_os_errors
from vtox.pipeline.configuration.settings import Settings

USER = "vtox"


def flower_password(settings: Settings) -> str | None:
    """Return the password of the user `vtox`; None: development needs none.

    It is `VTOX_FLOWER_PASSWORD`, or made once and kept in the data folder for its owner alone.
    """
    if settings.flower_password or settings.cluster_mode == "development":
        return settings.flower_password
    path = settings.flower_password_file
    with translate_os_errors(settings.data_dir):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = path.with_suffix(".new")
            with open(draft, "w", opener=open_private) as file:
                file.write(secrets.token_urlsafe(24) + "\n")
            draft.replace(path)
        return path.read_text().strip()
