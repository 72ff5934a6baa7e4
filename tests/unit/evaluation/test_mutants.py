"""Mutation testing of rules and `dsp`: the places that it finds, and one mutant that dies."""

import ast
import shutil

import pytest

from evaluation.mutants import ROOT, copied_tree, files, killer, mutants


def test_each_mutant_is_another_program() -> None:
    for path in files():
        source = (ROOT / path).read_bytes()
        same = ast.dump(ast.parse(source))
        for mutant in mutants(path):
            assert ast.dump(ast.parse(mutant.mutated(source))) != same, mutant


def test_all_modules_with_sums_have_mutants() -> None:
    found = {path.stem for path in files() if next(mutants(path), None)}
    assert {"comb", "quality", "supply_line", "rules"} <= found


@pytest.mark.long
def test_a_mutant_of_a_copy_is_found() -> None:
    path = next(p for p in files() if p.stem == "quality")
    root = copied_tree()
    mutant = next(m for m in mutants(path) if m.text == "<=")
    (root / path).write_bytes(mutant.mutated((root / path).read_bytes()))
    assert killer(root, path).startswith("dsp/")
    shutil.rmtree(root)
