"""When alarms of the system are raised: the table `[system_alarms]` of the rules file."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vtox.pipeline.errors import RulesError


class AlarmLimits(BaseModel):
    """Age of a window that nothing has read (s), and dead letters within five minutes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backlog_s: float = Field(60.0, gt=0)
    dead_letters: int = Field(10, ge=1)


def read_limits(file: Path | None) -> AlarmLimits:
    """Return the limits of a rules file; any that it leaves out, and without a file, as shipped.

    Raises `RulesError`: the file cannot be read, or its table says something that is not possible.
    """
    if file is None:
        return AlarmLimits()
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("system_alarms", {})
        return AlarmLimits.model_validate(table)
    except OSError as error:
        raise RulesError(f"{file} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        lines = (f"{file}: system_alarms.{e['loc'][0]}: {e['msg']}" for e in error.errors())
        raise RulesError("\n".join(lines)) from error
    except (ValueError, RecursionError) as error:
        raise RulesError(f"{file} is no TOML: {error}") from error
