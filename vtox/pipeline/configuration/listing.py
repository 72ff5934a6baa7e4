"""Every setting with its value and the source of the value, for people and programs."""

from pathlib import Path
from typing import Any, NamedTuple

from pydantic import SecretStr
from pydantic_settings import (
    DotEnvSettingsSource,
    EnvSettingsSource,
    InitSettingsSource,
    SecretsSettingsSource,
)

from vtox.pipeline.configuration.prices import PricePeriods
from vtox.pipeline.configuration.server_urls import mask
from vtox.pipeline.configuration.settings import (
    MODE_DEFAULTS,
    SECRETS,
    Settings,
    description,
    each,
    variable,
)
from vtox.pipeline.configuration.values import Acknowledgement, KeptFor, SendLimit, WorkerCount


class SettingRow(NamedTuple):
    """A setting as people read it: `source` is the place that gave the value."""

    value: Any
    source: str
    about: str


def setting_rows(settings: Settings, *, reveal: bool = False) -> dict[str, SettingRow]:
    """Return variable -> row of each setting; secrets are masked unless `reveal`."""
    origins = _sources(settings)
    return {
        variable(*name): SettingRow(
            _value(name[0], value, reveal), origins[name], description(name)
        )
        for name, value in each(settings)
    }


def _sources(settings: Settings) -> dict[tuple[str, ...], str]:
    """Return setting -> source of its value: the first place that has it."""
    none: dict[str, Any] = {}
    _, environment, dotenv, toml = Settings.settings_customise_sources(
        Settings,
        InitSettingsSource(Settings, none),
        EnvSettingsSource(Settings),
        DotEnvSettingsSource(Settings),
        SecretsSettingsSource(Settings),
    )
    places = [("environment", environment()), (".env", dotenv()), ("TOML file", toml())]
    places.append(("mode", MODE_DEFAULTS[settings.cluster_mode]))
    return {
        name: next((place for place, values in places if _has(values, name)), "default")
        for name, _ in each(settings)
    }


def _has(values: dict[str, Any], name: tuple[str, ...]) -> bool:
    return name[0] in values and (len(name) == 1 or name[1] in values[name[0]])


def _value(name: str, value: Any, reveal: bool) -> Any:
    written = Path | KeptFor | SendLimit | WorkerCount | Acknowledgement | PricePeriods
    if isinstance(value, written):
        return str(value)
    if isinstance(value, SecretStr):
        return value.get_secret_value() if reveal or not value else "***"
    if name in SECRETS and value and not reveal:
        return mask(value) if name.endswith("_url") else "***"
    return value
