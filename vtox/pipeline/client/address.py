"""The server of a client that names none: that of the settings of this host."""


def server_of_settings() -> str:
    """Return the URL of the server that the settings name, or that runs embedded here.

    Raises `SettingsError`: a setting cannot be used.
    """
    # A sender that gives the URL itself needs no settings, and loads none.
    from vtox.pipeline.configuration.settings import load

    return load().working_url()
