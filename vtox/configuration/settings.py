"""All settings, checked at start and passed down. No other module reads the environment."""

import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from platformdirs import user_data_path
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from vtox.configuration.groups.limits import LimitSettings
from vtox.configuration.groups.processes import ProcessSettings
from vtox.configuration.groups.retention import RetentionSettings
from vtox.configuration.groups.servers import ServerSettings
from vtox.configuration.groups.windows import WindowSettings
from vtox.errors import SettingsError

SECRETS = frozenset({"redis_url", "broker_url", "database_url", "mqtt_url", "flower_password"})
PREFIX = "VTOX_"
# Variables of VTOX that are no settings: where to look for settings, the pid that the parent watch
# reads, and the folder of recordings for tests.
OTHER_VARIABLES = frozenset({"VTOX_CONFIG", "VTOX_PARENT_PID", "VTOX_RECORDINGS"})
# Similarity from which a name is suggested: REDIS to REDIS_URL has 0.71.
SUGGESTION_CUTOFF = 0.7

# Defaults that depend on the mode.
MODE_DEFAULTS: dict[str, dict[str, Any]] = {
    "development": {"cluster_workers": 3, "api_host": "127.0.0.1", "monitor_interval_s": 10.0},
    "testing": {"cluster_workers": 2, "api_host": "127.0.0.1", "monitor_interval_s": 5.0},
    "production": {"cluster_workers": 6, "api_host": "0.0.0.0", "monitor_interval_s": 15.0},
}


def _toml_files() -> list[Path]:
    files = [user_data_path("vtox", appauthor=False) / "vtox.toml"]
    if config := os.environ.get("VTOX_CONFIG"):
        files.append(Path(config))
    return files


class Settings(
    # From right to left as `vtox config show` lists them.
    LimitSettings,
    RetentionSettings,
    WindowSettings,
    ProcessSettings,
    ServerSettings,
    BaseSettings,
):
    """Everything that can be set, as `VTOX_<NAME>` in the environment, `.env` or a TOML file."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order of precedence: arguments, environment, `.env`, TOML file."""
        toml = TomlConfigSettingsSource(settings_cls, toml_file=_toml_files())
        return init_settings, env_settings, dotenv_settings, toml

    @property
    def fixed_ports(self) -> frozenset[int]:
        """Ports that a process of ours needs; processes that choose a port skip them."""
        return frozenset({self.api_port, self.coordinator_port, self.flower_port, self.redis_port})

    @property
    def flower_password_file(self) -> Path:
        """Password of Flower where none is set (mode 0600)."""
        return self.data_dir / "flower-password"


def load(**overrides: Any) -> Settings:
    """Return the settings of this process, with the defaults of its mode.

    Raises
    ------
    SettingsError
        A value cannot be used; the message names the setting and what was expected.
    """
    try:
        settings = Settings(**overrides)
        defaults = MODE_DEFAULTS[settings.cluster_mode]
        unset = {k: v for k, v in defaults.items() if k not in settings.model_fields_set}
        _check_ack(settings)
        _check_workers(settings)
        return settings.model_copy(update=unset)
    except ValidationError as error:
        lines = (
            f"VTOX_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}{_input_text(e)}"
            for e in error.errors()
        )
        # Not `from error`: its text has every value that was given.
        raise SettingsError("\n".join(lines)) from None


def _input_text(error: ErrorDetails) -> str:
    return "" if error["loc"][:1] and error["loc"][0] in SECRETS else f" (got {error['input']!r})"


def settings_table(settings: Settings) -> dict[str, str]:
    """Return the settings that were given, by the name of their variable, without secrets."""
    names = sorted(settings.model_fields_set - SECRETS)
    return {f"{PREFIX}{name.upper()}": str(getattr(settings, name)) for name in names}


def files() -> list[Path]:
    """Return the files that settings are read from: `.env` of the working folder, TOML files."""
    dotenv = Settings.model_config.get("env_file")
    candidates = [Path(str(dotenv))] if dotenv else []
    return [path.absolute() for path in (*candidates, *_toml_files()) if path.is_file()]


def environment_value(name: str) -> str | None:
    """Return a variable that is no setting: one in which a file names a secret."""
    return os.environ.get(name)


def _check_ack(settings: Settings) -> None:
    if settings.api_ack == "disk" and not settings.redis_url and settings.redis_fsync != "always":
        raise SettingsError(
            f"VTOX_API_ACK=disk, but VTOX_REDIS_FSYNC is {settings.redis_fsync}",
            remedy="set VTOX_REDIS_FSYNC=always: the embedded server writes to disk before it "
            "answers only then",
        )


def _check_workers(settings: Settings) -> None:
    if 0 < settings.workers_max < settings.workers_min:
        raise SettingsError(
            f"VTOX_WORKERS_MAX is {settings.workers_max}, but VTOX_WORKERS_MIN is "
            f"{settings.workers_min}",
            remedy="set VTOX_WORKERS_MAX to at least VTOX_WORKERS_MIN, or to 0",
        )


@dataclass(frozen=True, slots=True)
class UnknownSetting:
    """A name with our prefix that is no setting and so has no effect."""

    name: str
    place: str
    suggestion: str  # the most similar setting, empty if none is

    def __str__(self) -> str:
        hint = f"did you mean {self.suggestion}?" if self.suggestion else "see `vtox config show`"
        return f"{self.name} in {self.place} is no setting and has no effect: {hint}"


def unknown_settings() -> list[UnknownSetting]:
    """Return the names in the environment, `.env` and TOML files that look like settings only."""
    toml = TomlConfigSettingsSource(Settings, toml_file=_toml_files())
    names_by_place = {
        "the environment": set(os.environ),
        ".env": {k.upper() for k in DotEnvSettingsSource(Settings).env_vars},
        "a TOML file": {f"{PREFIX}{k.upper()}" for k in toml.toml_data},
    }
    fields = [n.upper() for n in Settings.model_fields]
    unknown = []
    for place, names in names_by_place.items():
        for name in sorted(n for n in names if n.startswith(PREFIX)):
            field = name.removeprefix(PREFIX)
            if field in fields or name in OTHER_VARIABLES:
                continue
            similar = get_close_matches(field, fields, n=1, cutoff=SUGGESTION_CUTOFF)
            suggestion = f"{PREFIX}{similar[0]}" if similar else ""
            unknown.append(UnknownSetting(name, place, suggestion))
    return unknown
