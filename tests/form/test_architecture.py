"""Rules that a linter cannot say: uses of Celery, the server, a clock or the environment."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping

import orjson
import pytest

from tests.form.houses import LAZY, SOURCES, imported, module_name, tree
from tests.paths import ROOT
from vtox.motor.faults import FAULTS

READER = "vtox.reporting.plant.status_api"


def importers(*prefixes: str) -> set[str]:
    return {
        module_name(p)
        for p in SOURCES
        for name in imported(p)
        if any(name == x or name.startswith(f"{x}.") for x in prefixes)
    }


def within(names: set[str], *allowed: str) -> set[str]:
    """The names that are neither in `allowed` nor below one of them."""
    return {n for n in names if not any(n == a or n.startswith(f"{a}.") for a in allowed)}


def test_the_log_of_windows_is_known_to_one_module() -> None:
    commands = {"xreadgroup", "xgroup_create", "xinfo_groups", "xpending", "xack"}
    users = {
        module_name(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in commands
    }
    assert users == {"vtox.pipeline.store.stream.window_log"}


def test_one_module_writes_tables() -> None:
    """Another writer of tables would let a text of a sender run as a formula."""
    writers = {"writer", "DictWriter", "to_csv", "to_excel", "to_parquet", "write_csv"}
    writers |= {"write_excel", "write_parquet", "writerow", "writerows", "savetxt"}
    users = {
        (module_name(path), name)
        for path in SOURCES
        for node in ast.walk(tree(path))
        for name in called(node)
        if name in writers
    }
    assert users == {
        ("vtox.motor.values.csv_writer", "writer"),
        ("vtox.motor.values.csv_writer", "writerow"),
        # It takes the rows from the CSV.
        ("vtox.reporting.tables.export", "write_parquet"),
    }
    assert importers("openpyxl", "xlsxwriter", "xlwt", "pyarrow.csv", "pyarrow.feather") == set()


def called(node: ast.AST) -> tuple[str, ...]:
    """The names that a node takes from a module of others or from an object."""
    if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("vtox."):
        return tuple(a.name for a in node.names)
    return (node.attr,) if isinstance(node, ast.Attribute) else ()


def test_supervision_is_known_to_its_entry_points_only() -> None:
    parts = ("supervisor", "processes", "embedded_server", "child_process")
    users = importers(*(f"vtox.pipeline.cluster.{part}" for part in parts))
    # `vtox doctor` checks the server's binary and the ports that the processes would take.
    checks = ("vtox.pipeline.monitoring.doctor", "vtox.pipeline.monitoring.host_checks")
    assert within(users, "vtox.pipeline.cluster", "vtox.cli", *checks) == set()


def test_celery_and_http_are_known_where_they_belong() -> None:
    celery = importers("celery", "kombu", "billiard")
    assert within(celery, "celeryconfig", "vtox.pipeline.queues", "workers") == set()
    app = importers("vtox.pipeline.queues.celery_app")
    assert (
        within(app, "workers", "vtox.pipeline.queues", "vtox.cli.processes.flower_server") == set()
    )
    assert within(importers("fastapi", "starlette"), "api") == set()
    assert within(importers("typer"), "vtox.cli") == set()
    # Nothing else of VTOX calls others; the reader that passes health on calls our own API.
    callers = importers("httpx2", "apprise")
    provider = "api.state.provider"
    assert within(callers, "vtox.reporting.notification", READER, provider) == set()


@pytest.mark.parametrize(
    "pure",
    [
        "vtox.motor.diagnosis.dsp",
        "vtox.motor.diagnosis.diagnosers",
        "vtox.motor.diagnosis.diagnosis",
        "vtox.motor.diagnosis.spectra",
        "vtox.motor.values.baseline",
        "vtox.motor.values.domain",
        "vtox.motor.values.codec",
        "vtox.motor.values.nameplate_ranges",
        "vtox.pipeline.bridge.record_joiner",
        "vtox.pipeline.bridge.deduplication",
        "vtox.motor.alarms.health",
        "vtox.motor.alarms",
        "vtox.motor.alarms.coverage",
        "vtox.pipeline.windows.wire",
        "vtox.motor.simulator",
    ],
)
def test_pure_code_knows_no_server_clock_or_environment(pure: str) -> None:
    forbidden = (
        "redis",
        "vtox.pipeline.store",
        "vtox.pipeline.configuration.settings",
        "vtox.pipeline.configuration.groups",
        "vtox.pipeline.configuration.keys",
        "time",
        "os",
        "structlog",
        "random",
        "threading",
        "subprocess",
    )
    found = {m for f in forbidden for m in importers(f) if m == pure or m.startswith(f"{pure}.")}
    assert found == set()


def test_simulator_and_diagnosers_share_nothing_but_the_vocabulary() -> None:
    diagnosing = (
        "vtox.motor.diagnosis.dsp",
        "vtox.motor.diagnosis.diagnosers",
        "vtox.motor.diagnosis.diagnosis",
        "vtox.motor.values.baseline",
    )
    assert {m for m in importers(*diagnosing) if m.startswith("vtox.motor.simulator")} == set()
    assert {m for m in importers("vtox.motor.simulator") if m.startswith(diagnosing)} == set()
    model = [imported(p) for p in (ROOT / "evaluation/motor_model").glob("*.py")]
    assert [name for names in model for name in names if name.startswith(diagnosing)] == []


def test_the_folder_of_a_fault_is_not_imported_by_another_one() -> None:
    folders = [f"vtox.motor.diagnosis.diagnosers.{fault}" for fault in FAULTS]
    among = {
        (m, folder) for folder in folders for m in importers(folder) if m.startswith(tuple(folders))
    }
    assert {(m, folder) for m, folder in among if not m.startswith(f"{folder}.")} == set()


def test_no_file_branches_on_the_name_of_a_fault() -> None:
    """Packages add faults. The folder of a fault knows itself, the words name all.

    The simulator has a physical effect of each fault of VTOX. In the schema of a nameplate
    `bearing` is a part of the machine.
    """
    knows = ("vtox.motor.faults", "vtox.motor.words", "vtox.motor.simulator")
    knows += ("api.schemas.nameplate",)
    folders = tuple(f"vtox.motor.diagnosis.diagnosers.{fault}" for fault in FAULTS)
    constants = {
        target.id: value
        for p in SOURCES
        for node in tree(p).body
        if isinstance(node, ast.Assign)
        for target, value in assigned(node)
    }
    compared = {
        f"{module_name(p)}: {ast.unparse(node)}"
        for p in SOURCES
        if not module_name(p).startswith((*knows, *folders))
        for node in ast.walk(tree(p))
        if isinstance(node, ast.Compare | ast.MatchValue | ast.MatchMapping | ast.Dict)
        for part in (
            node.keys
            if isinstance(node, ast.MatchMapping | ast.Dict)
            else ast.iter_child_nodes(node)
        )
        if part and texts_in(part, constants) & set(FAULTS)
    }
    assert compared == set()


def assigned(node: ast.Assign) -> Iterator[tuple[ast.Name, ast.expr]]:
    """The names that an assignment binds, each with its value."""
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=True))
        else:
            pairs = [(target, node.value)]
        yield from ((name, value) for name, value in pairs if isinstance(name, ast.Name))


def texts_in(node: ast.AST, constants: Mapping[str, ast.expr]) -> set[str]:
    """The texts of a side of a comparison: itself, in a collection, or as a constant."""
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) else set()
    if isinstance(node, ast.Dict):
        return {t for key in node.keys if key for t in texts_in(key, constants)}
    if isinstance(node, ast.Call):  # such as frozenset({...})
        return {t for part in node.args for t in texts_in(part, constants)}
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return {t for part in node.elts for t in texts_in(part, constants)}
    if isinstance(node, ast.Name | ast.Attribute):
        name = node.id if isinstance(node, ast.Name) else node.attr
        known = constants.get(name)
        return texts_in(known, {}) if known else set()
    return set()


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        module_name(p)
        for p in SOURCES
        for node in ast.walk(ast.parse(p.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    # The parent watch takes the supervisor's pid, which is no setting; supervisor and server hand
    # their own environment on to the processes they start, as the reader of files does.
    assert readers <= {
        "vtox.pipeline.configuration.settings",
        "vtox.pipeline.cluster.parent_watch",
        "vtox.pipeline.cluster.processes",
        "vtox.pipeline.cluster.server_allocator",
        "vtox.pipeline.cluster.supervisor",
        "vtox.motor.files.child",
    }


MATHS_ON_DEMAND = tuple(
    f"api.routes.{name}" for name in ("spectra", "reports", "figures", "commissioning")
)
READERS = (
    "audio",
    "comtrade_records",
    "excel",
    "labview",
    "matlab",
    "mdf",
    "parquet",
    "tdms",
    "uff",
)
OPTIONAL_PACKAGES = (
    *(f"vtox.motor.files.readers.{name}" for name in READERS),
    *("vtox.pipeline.windows.tracing", "vtox.motor.values.frames", "vtox.reporting.tables.export"),
    "api.state.backend",
    # A small installation verifies a report without pages and limits of threads.
    "vtox.reporting.reports.making",
    "vtox.reporting.reports.verification",
    # A sender that gives the URL of its server does not load the settings.
    "vtox.pipeline.client.address",
)


def test_imports_stand_at_the_top() -> None:
    """Commands are excepted: they import modules that would slow down all others in a function.

    So are the routes of spectra, reports and figures: the API loads no maths before a request.
    Modules whose libraries may not be installed do so too: readers of files, traces, tables, OIDC.
    """
    inner = [
        f"{module_name(p)}:{node.lineno}"
        for p in SOURCES
        if p != LAZY
        and not module_name(p).startswith("vtox.cli.")
        and module_name(p) not in (*MATHS_ON_DEMAND, *OPTIONAL_PACKAGES)
        for scope in ast.walk(ast.parse(p.read_text()))
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(scope)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inner == []


def test_modules_are_not_imported_by_a_string() -> None:
    """No tool can follow that. Public names, commands, faults and readers are excepted."""
    users = {module_name(p) for p in SOURCES if "import_module(" in p.read_text()}
    assert users <= {
        "vtox",
        "vtox.cli.main",
        "vtox.cli.processes.bridge",
        "vtox.cli.simulation.simulate",
        "vtox.motor.diagnosis.diagnosers.registry",
        "vtox.motor.files.child_process",
        "vtox.motor.files.formats",
    }


@pytest.mark.parametrize(
    "module",
    [
        "vtox.pipeline.bridge.loop",
        "vtox.pipeline.monitoring.coordinator",
        "api.main",
        "vtox.motor.values.baseline",
    ],
)
def test_services_load_no_maths(module: str) -> None:
    script = f"import sys, {module}; print(*(m for m in ('scipy', 'workers') if m in sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"VTOX_REDIS_URL": "redis://127.0.0.1:1", "PATH": ""},
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() == ""


def test_diagnosers_use_the_parts_of_scipy_that_load_fast() -> None:
    """Signal and statistics load optimizers too: a second more for each worker to start."""
    folders = (ROOT / "vtox/motor/diagnosis", ROOT / "vtox/motor/alarms", ROOT / "workers")
    text = "\n".join(p.read_text() for folder in folders for p in folder.rglob("*.py"))
    parts = set(re.findall(r"^\s*(?:import|from) (scipy[\w.]*)", text, re.MULTILINE))
    assert parts == {"scipy.fft", "scipy.ndimage", "scipy.special"}


def test_api_never_loads_celery_nor_alembic() -> None:
    script = "import sys, api.main; print(bool({'celery', 'alembic'} & sys.modules.keys()))"
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "False"


def test_cited_works_are_listed() -> None:
    """A reader who has only the repository finds the work behind `Author 1999`."""
    entries = (ROOT / "docs/reference/literature.md").read_text().split("\n- ")
    listed = [e.partition("*")[0] for e in entries]
    cited = re.compile(r"\b(?!Of\b)([A-Z][a-z]+(?:-[A-Z][a-z]+)?)(?: et al\.)?,? ((?:19|20)\d\d)\b")
    for path in [*SOURCES, *(ROOT / "evaluation").glob("*.py")]:
        text = " ".join(path.read_text().replace("#", " ").split())
        for author, year in cited.findall(text):
            assert any(author in e and year in e for e in listed), (path.name, author, year)


# Uses of a host's clock. They are a sender and its spool, a key's record, a report's date, a span
# of a trace, the time stamp of a webhook, and the comparison of clocks.
HOST_CLOCK = {
    "vtox/pipeline/client/spool.py",
    "vtox/pipeline/bridge/traces.py",
    "vtox/cli/recordings/replay.py",
    "vtox/cli/shared/report_files.py",
    "vtox/cli/simulation/simulate.py",
    "vtox/reporting/notification/trial.py",
    "vtox/reporting/notification/webhook.py",
    "vtox/pipeline/monitoring/server_checks.py",
    "vtox/pipeline/sending/mqtt/connection.py",
    "vtox/pipeline/store/server/client.py",
    "workers/heartbeat.py",
    "workers/traces.py",
}


def test_ages_go_by_the_server_or_a_monotonic_clock() -> None:
    users = {
        str(p.relative_to(ROOT))
        for p in SOURCES
        if re.search(r"\btime\.time\(|datetime\.utcnow", p.read_text())
    }
    assert users <= HOST_CLOCK


def test_no_test_stops_the_clock_of_other_threads() -> None:
    """An event loop that asks a stopped clock sleeps for hours: patch `time` of one module."""
    asked = r"setattr\(\s*(?:\w+\.)*\"?time(?:\.|\"?,\s*\")(?:monotonic|perf_counter)\b"
    stopping = re.compile(asked)
    assert stopping.search("patch.setattr(" + 'module.time, "monotonic", lambda: 1.0)')
    tests = sorted((ROOT / "tests").rglob("*.py"))
    assert [p.name for p in tests if stopping.search(p.read_text())] == []


def test_modules_that_show_the_state_of_machines_show_seen_faults() -> None:
    """A machine with a fault that waits for days is normal: its state alone would hide that."""
    home = "vtox.motor.alarms.health.assessment"
    texts = {module_name(p): p.read_text() for p in SOURCES if module_name(p) != home}
    shows_state = {m for m, text in texts.items() if "present_state(" in text}
    assert len(shows_state) > 4
    assert {m for m in shows_state if ".seen_faults" not in texts[m]} == set()


def test_answers_with_the_state_of_a_machine_have_its_seen_faults() -> None:
    described = orjson.loads((ROOT / "docs/openapi.json").read_bytes())["components"]["schemas"]
    fields = {name: set(schema.get("properties", ())) for name, schema in described.items()}
    of_machines = {name for name, f in fields.items() if {"machine_id", "health", "faults"} <= f}
    assert of_machines == {"FleetRow", "Machine", "MachineSummary"}
    assert {name for name in of_machines if "seen" not in fields[name]} == set()
