"""The data folder of the demo: found while it runs, and never in the way of a plant's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vtox.pipeline.cluster.file_lock import try_lock
from vtox.pipeline.configuration.settings import given_settings, load, load_for_demo


@contextmanager
def running(folder: Path, lock: str = "cluster.lock") -> Iterator[None]:
    fd = try_lock(folder / lock)
    assert fd is not None
    try:
        yield
    finally:
        os.close(fd)


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VTOX_DATA_DIR", str(tmp_path))
    return tmp_path


def test_the_demo_keeps_its_data_apart_from_a_plant(plant: Path) -> None:
    assert load_for_demo().data_dir == plant / "demo"
    with running(plant / "demo"):
        assert load_for_demo().data_dir == plant / "demo", "a second demo is refused there"


def test_a_running_demo_is_found_without_options(plant: Path) -> None:
    with running(plant / "demo"):
        assert load().data_dir == plant / "demo"
    assert load().data_dir == plant
    assert list(plant.iterdir()) == [plant / "demo"], "a look leaves no file"


@pytest.mark.parametrize("lock", ["cluster.lock", "api-cluster.lock", "server.lock"])
def test_a_running_plant_comes_before_the_demo(plant: Path, lock: str) -> None:
    with running(plant / "demo"), running(plant, lock):
        assert load().data_dir == plant


def test_a_folder_given_as_an_argument_is_taken(plant: Path) -> None:
    with running(plant / "demo"):
        assert load(data_dir=plant).data_dir == plant


def test_a_folder_that_nobody_set_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VTOX_DATA_DIR", raising=False)
    assert "VTOX_DATA_DIR" not in given_settings(load())
