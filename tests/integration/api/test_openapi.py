"""The OpenAPI document: valid, complete, the same as in the repository, and fit for generators."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from api.openapi import document_text
from tests.integration.api.conformance import DOCUMENT as DOCUMENT_ID
from tests.paths import ROOT

DOCUMENT = ROOT / "docs/openapi.json"
# Tool -> how to get it, and how it makes a client of `{document}` in the folder `{out}`.
GENERATORS = {
    "openapi-typescript": (
        "npm install -g openapi-typescript",
        ["{document}", "-o", "{out}/client.ts"],
    ),
    "openapi-python-client": (
        "pipx install openapi-python-client",
        ["generate", "--path", "{document}", "--output-path", "{out}/client", "--meta", "none"],
    ),
    "datamodel-codegen": (
        "pipx install datamodel-code-generator",
        ["--input", "{document}", "--output", "{out}/client.py", "--formatters", "builtin"],
    ),
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    described: dict[str, Any] = json.loads(document_text())
    return described


def test_the_document_in_the_repository_is_current() -> None:
    assert DOCUMENT.read_text() == document_text(), "make openapi"


def test_the_document_served_is_the_same(http: httpx.Client, document: dict[str, Any]) -> None:
    assert http.get("/openapi.json").raise_for_status().json() == document


@pytest.mark.long
def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


@pytest.mark.parametrize("tool", GENERATORS)
def test_generators_make_a_client(tool: str, tmp_path: Path) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool}: {GENERATORS[tool][0]}")
    command = [a.format(document=DOCUMENT, out=tmp_path) for a in GENERATORS[tool][1]]
    ended = subprocess.run([tool, *command], capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    made = "".join(p.read_text() for p in tmp_path.rglob("*.[pt][ys]"))
    assert "what_to_do" in made
    assert "rated_current_a" in made


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> list[str]:
        if isinstance(node, list):
            return [r for x in node for r in references(x)]
        if not isinstance(node, dict):
            return []
        here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return here + [r for x in node.values() for r in references(x)]

    found = set(references(document))
    assert len(found) > 30
    for reference in found:
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_every_operation_describes_its_problems(document: dict[str, Any]) -> None:
    problem = document["components"]["responses"]["Problem"]["content"]["application/problem+json"]
    assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["responses"]["default"]["$ref"].endswith("/Problem"), path


def test_problem_codes_have_titles(document: dict[str, Any]) -> None:
    titles = document["x-problem-codes"]
    assert {"bad_length", "not_found", "server_full"} <= set(titles)
    assert titles["bad_rate"].startswith("fs_hz is outside")
    assert titles["bad_machine_id"].startswith("machine_id, vehicle_id")
    assert titles["no_channels"].startswith("The entry")


def test_a_session_is_described_for_everything_but_administration(
    document: dict[str, Any],
) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            scopes = {k: v for s in operation.get("security", []) for k, v in s.items()}
            if scopes:
                # The audit alone is read on a page by who signed in with an admin's key.
                described = scopes["APIKeyHeader"] != ["admin"] or path == "/api/v1/audit"
                assert ("APIKeyCookie" in scopes) == described, path


@pytest.mark.parametrize("name", ["WindowIn", "Nameplate"])
def test_examples_are_of_their_shape(document: dict[str, Any], name: str) -> None:
    schema = document["components"]["schemas"][name]
    registry: Registry[Any] = Registry().with_resource(
        DOCUMENT_ID, DRAFT202012.create_resource(document)
    )
    reference = {"$ref": f"{DOCUMENT_ID}#/components/schemas/{name}"}
    for example in schema["examples"]:
        assert [*Draft202012Validator(reference, registry=registry).iter_errors(example)] == []
