"""The files under `deploy/`: units of systemd with the commands of the Procfile."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration.server_urls import complete_database
from vtox.pipeline.configuration.settings import Settings

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
INSTALLED = "/opt/vtox/.venv/bin/"
# Setting of the API next to a server that is started separately; the others name a server.
ALONE = "VTOX_CLUSTER_ENABLED=false"


def values(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


def procfile() -> dict[str, str]:
    text = (ROOT / "Procfile").read_text().replace(f": {ALONE} ", ": ")
    return dict(line.split(": ", 1) for line in text.splitlines() if line and line[0] != "#")


def command(process: str) -> str:
    """The command of a process as its unit has it, in the notation of the Procfile."""
    name = f"vtox-{process}.service"
    if process in FAMILIES:
        name = "vtox-worker@.service"
    unit = UNITS / name
    (line,) = values(unit, "ExecStart")
    before = [f"{c} && " for c in values(unit, "ExecStartPre")]
    text = "".join([*before, line]).replace(INSTALLED, "").replace("%i", process)
    return text.replace("%%", "%")


def optional() -> dict[str, str]:
    """The optional processes: in the Procfile behind a mark."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return dict(line[2:].split(": ", 1) for line in lines if re.match(r"# \w+: vtox ", line))


@pytest.mark.parametrize("process", optional())
def test_what_is_optional_has_a_unit_too(process: str) -> None:
    assert command(process) == optional()[process]


@pytest.mark.parametrize("process", procfile())
def test_each_unit_has_the_command_of_the_procfile(process: str) -> None:
    expected = re.sub(r"\$\{(\w+):-[^}]*\}", r"${\1}", procfile()[process])
    assert command(process) == expected


def test_the_api_beside_others_starts_no_cluster() -> None:
    assert f"api: {ALONE} uvicorn" in (ROOT / "Procfile").read_text()
    (line,) = values(UNITS / "vtox-api.service", "Environment")
    assert ALONE in line.split()


def test_the_api_has_the_defaults_of_the_settings() -> None:
    (line,) = values(UNITS / "vtox-api.service", "Environment")
    defaults = {f"VTOX_{n.upper()}": Settings.model_fields[n].default for n in ("api_port",)}
    given = dict(pair.split("=") for pair in line.split() if pair != ALONE)
    assert given == {"VTOX_API_HOST": "127.0.0.1"} | {n: str(v) for n, v in defaults.items()}


def test_a_second_api_is_a_copy_with_its_own_port(tmp_path: Path) -> None:
    page = (ROOT / "docs/howto/deploy-with-systemd.md").read_text()
    (line,) = re.findall(r"^ *(sed .*vtox-api\.service) > /etc/systemd/system/", page, re.MULTILINE)
    copy = subprocess.run(
        ["sh", "-c", line.replace("/opt/vtox/", "")], cwd=ROOT, capture_output=True, text=True
    ).stdout
    original = (UNITS / "vtox-api.service").read_text()
    assert original.count("${VTOX_API_PORT}") == 1
    assert copy == original.replace("${VTOX_API_PORT}", "8100")
    assert "server 127.0.0.1:8100;" in (ROOT / "deploy/nginx.conf").read_text()


def test_the_example_names_settings_that_exist() -> None:
    text = (UNITS / "vtox.env.example").read_text()
    names = set(re.findall(r"^(?:# )?VTOX_(\w+)=", text, re.MULTILINE))
    assert names
    assert {n.lower() for n in names} <= set(Settings.model_fields)


def test_the_example_has_a_url_of_a_database_that_is_taken() -> None:
    text = (UNITS / "vtox.env.example").read_text()
    (url,) = re.findall(r"^# VTOX_DATABASE_URL=(\S+)$", text, re.MULTILINE)
    assert complete_database("VTOX_DATABASE_URL", url)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    # Use a link: the folder of programs may have spaces in its path, which units would not take.
    here = tmp_path / "bin"
    here.symlink_to(Path(sys.executable).parent)
    for source in UNITS.rglob("*.*"):
        if source.is_file():
            copy = tmp_path / source.relative_to(UNITS)
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(source.read_text().replace(INSTALLED, f"{here}/"))
    template = tmp_path / "vtox-worker@.service"
    for queue in FAMILIES:
        shutil.copy(template, tmp_path / f"vtox-worker@{queue}.service")
    template.unlink()
    units = [str(p) for p in tmp_path.iterdir() if p.suffix in (".service", ".target")]
    run = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )
    ours = [line for line in run.stderr.splitlines() if "vtox" in line]
    assert (run.returncode, ours) == (0, [])
