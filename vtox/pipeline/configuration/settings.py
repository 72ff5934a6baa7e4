"""All settings, checked at start and passed down. No other module reads the environment."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from platformdirs import user_data_path
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as SourceError

from vtox.pipeline.configuration import demo_folder
from vtox.pipeline.configuration.groups.limits import LimitSettings
from vtox.pipeline.configuration.groups.processes import ProcessSettings
from vtox.pipeline.configuration.groups.retention import RetentionSettings
from vtox.pipeline.configuration.groups.servers import ServerSettings
from vtox.pipeline.configuration.groups.windows import WindowSettings
from vtox.pipeline.configuration.tables import AlarmLimit, EnergyPrice, Keep, Oidc, SendLimits
from vtox.pipeline.configuration.values import WorkerCount
from vtox.pipeline.errors import SettingsError

SECRETS = frozenset(
    {
        "redis_url",
        "broker_url",
        "database_url",
        "mqtt_url",
        "flower_password",
        "api_key",
        "client_secret",
    }
)
PREFIX = "VTOX_"
# Set for a worker of a supervisor, which has given it its own port.
SUPERVISED = "VTOX_SUPERVISED"
# Variables of VTOX that are no settings: where to look for settings, the pid that the parent watch
# reads, and the folder of recordings for tests.
OTHER_VARIABLES = frozenset({"VTOX_CONFIG", "VTOX_PARENT_PID", "VTOX_RECORDINGS", SUPERVISED})
# Similarity from which a name is suggested: REDIS to REDIS_URL has 0.71.
SUGGESTION_CUTOFF = 0.7

TABLES: dict[str, type[BaseModel]] = {
    "keep": Keep,
    "quota": SendLimits,
    "energy_price": EnergyPrice,
    "alarm_load": AlarmLimit,
    "oidc": Oidc,
}
# Defaults that depend on the mode.
MODE_DEFAULTS: dict[str, dict[str, Any]] = {
    "development": {
        "cluster_workers": WorkerCount(3, 3),
        "api_host": "127.0.0.1",
        "monitor_interval_s": 10.0,
    },
    "testing": {
        "cluster_workers": WorkerCount(2, 2),
        "api_host": "127.0.0.1",
        "monitor_interval_s": 5.0,
    },
    "production": {
        "cluster_workers": WorkerCount(6, 6),
        "api_host": "0.0.0.0",
        "monitor_interval_s": 15.0,
    },
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
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
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
        """Password of Flower if none is set (mode 0600)."""
        return self.data_dir / "flower-password"

    @property
    def api_key_file(self) -> Path:
        """API key by which commands on this host read, if VTOX_API_KEY has none."""
        return self.data_dir / "api-key"


def load(*, find_demo: bool = True, **overrides: Any) -> Settings:
    """Return the settings of this process, with the defaults of its mode.

    Their data folder is the demo's while only the demo runs, unless an argument names one or
    `find_demo` is not set.

    Raises `SettingsError`: a value cannot be used; the message names the setting and the expected
    value.
    """
    settings = _load(**overrides)
    if "data_dir" in overrides or not find_demo:
        return settings
    return _in_folder(settings, demo_folder.running_folder(settings.data_dir))


def load_for_demo() -> Settings:
    """Return the settings of `vtox demo`: its data folder is within the one that is set.

    Raises `SettingsError`: as `load`.
    """
    settings = _load()
    return _in_folder(settings, settings.data_dir / demo_folder.NAME)


def _in_folder(settings: Settings, folder: Path) -> Settings:
    # A copy counts its changes as given, but an unchanged folder is not given.
    same = folder == settings.data_dir
    return settings if same else settings.model_copy(update={"data_dir": folder})


def _load(**overrides: Any) -> Settings:
    """Return the settings as they are given, with the defaults of the mode.

    Raises `SettingsError`: a value cannot be used; the message names the setting and the expected
    value.
    """
    try:
        settings = Settings(**overrides)
        defaults = MODE_DEFAULTS[settings.cluster_mode]
        unset = {k: v for k, v in defaults.items() if k not in settings.model_fields_set}
        _check_ack(settings)
        return settings.model_copy(update=unset)
    except ValidationError as error:
        lines = (
            f"{variable(*map(str, e['loc']))}: {_explanation(e)}{_input_text(e)}"
            for e in error.errors()
        )
        # Not `from error`: its text has every value that was given.
        raise SettingsError("\n".join(lines)) from None
    except SourceError as error:
        name = next((t for t in TABLES if f'"{t}"' in str(error)), "")
        raise SettingsError(
            f"{variable(name)} cannot be read" if name else str(error),
            remedy=f'set a row each, {variable("keep", "results")}="24h, 40MB"' if name else "",
        ) from None


def _explanation(error: ErrorDetails) -> str:
    if error["type"] == "extra_forbidden":
        rows = TABLES.get(str(error["loc"][0]))
        return (
            f"no row of that table, expected one of {', '.join(rows.model_fields if rows else ())}"
        )
    return error["msg"].removeprefix("Value error, ")


def _input_text(error: ErrorDetails) -> str:
    # A whole table is not shown either: it may hold a secret.
    if not SECRETS.isdisjoint(error["loc"]) or isinstance(error["input"], dict):
        return ""
    return f" (got {error['input']!r})"


def variable(*name: str) -> str:
    """Return the variable of a setting; of a row of a table its name follows two underscores."""
    return PREFIX + "__".join(name).upper()


def each(settings: Settings) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every setting, of a table each row, with its value: `("keep", "results")`."""
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if name not in TABLES:
            yield (name,), value
            continue
        for row in TABLES[name].model_fields:
            yield (name, row), getattr(value, row)


def description(name: tuple[str, ...]) -> str:
    """Return the description of a setting, or of a row of a table."""
    model = TABLES[name[0]] if len(name) > 1 else Settings
    return model.model_fields[name[-1]].description or ""


def given_settings(settings: Settings) -> dict[str, str]:
    """Return the settings that were given, by the name of their variable, without secrets."""
    return {
        variable(*name): str(value)
        for name, value in sorted(each(settings))
        if _is_given(settings, name) and SECRETS.isdisjoint(name)
    }


def _is_given(settings: Settings, name: tuple[str, ...]) -> bool:
    if name[0] not in settings.model_fields_set:
        return False
    return len(name) == 1 or name[1] in getattr(settings, name[0]).model_fields_set


def files() -> list[Path]:
    """Return the files that settings are read from: `.env` of the working folder, TOML files."""
    dotenv = Settings.model_config.get("env_file")
    candidates = [Path(str(dotenv))] if dotenv else []
    return [path.absolute() for path in (*candidates, *_toml_files()) if path.is_file()]


def environment_value(name: str) -> str | None:
    """Return a variable that is no setting: one in which a file names a secret."""
    return os.environ.get(name)


def _check_ack(settings: Settings) -> None:
    if settings.ack.disk and not settings.redis_url and settings.redis_fsync != "always":
        raise SettingsError(
            f"VTOX_ACK={settings.ack}, but VTOX_REDIS_FSYNC is {settings.redis_fsync}",
            remedy="set VTOX_REDIS_FSYNC=always: the embedded server writes to disk before it "
            "answers only then",
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
    fields += [variable(t, r).removeprefix(PREFIX) for t in TABLES for r in TABLES[t].model_fields]
    unknown = []
    for place, names in names_by_place.items():
        for name in sorted(n for n in names if n.startswith(PREFIX)):
            field = name.removeprefix(PREFIX)
            if field in fields or name in OTHER_VARIABLES:
                continue
            # RESULTS_MB is meant for the row of results.
            of_row = [f for f in fields if field.startswith(f.partition("__")[2] or field + "_")]
            similar = get_close_matches(field, fields, n=1, cutoff=SUGGESTION_CUTOFF)
            best = max(of_row, key=len, default="") or next(iter(similar), "")
            suggestion = best and f"{PREFIX}{best}"
            unknown.append(UnknownSetting(name, place, suggestion))
    return unknown
