"""A data folder that cannot be used is said to be so, with the place and the reason."""

from pathlib import Path

import pytest

from vtox.cluster.cluster_log import Journal, open_console
from vtox.cluster.data_folder import explained, obstacle
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.cluster.file_lock import try_lock
from vtox.errors import ServerUnavailable, SettingsError
from vtox.settings import load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("")
    return path


def test_a_usable_folder_has_no_obstacle_and_nothing_is_left_there(tmp_path: Path) -> None:
    assert obstacle(tmp_path) == ""
    assert obstacle(tmp_path / "not" / "yet") == ""
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_folder(file: Path) -> None:
    assert obstacle(file) == obstacle(file / "below") == f"{file} is a file, not a folder"


def test_a_link_to_nothing(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "gone")
    assert obstacle(link / "vtox") == f"{link} is a link to nothing"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
def test_where_nobody_may_write() -> None:
    assert obstacle(Path("/proc/vtox")).startswith("nothing can be written in /proc (")


def test_every_user_of_the_folder_explains(file: Path) -> None:
    said = f"VTOX_DATA_DIR {file} cannot be used: {file} is a file.*expected a folder"
    with pytest.raises(SettingsError, match=said):
        try_lock(file / "cluster.lock")
    with pytest.raises(SettingsError, match=said):
        Journal(file, open_console())
    with pytest.raises(SettingsError, match=said):
        EmbeddedServer(load(data_dir=file)).start()


def test_a_file_of_somebody_else_s_in_a_good_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "cluster.log").mkdir()
    with pytest.raises(SettingsError, match=f"{tmp_path / 'cluster.log'}: Is a directory"):
        Journal(tmp_path, open_console())
    with pytest.raises(SettingsError, match="No space left"), explained(tmp_path):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("text", ["", '{"port', "[]", "7", '{"port": 1}', '{"port": "x"}'])
def test_a_damaged_address_is_told_and_written_anew(tmp_path: Path, text: str) -> None:
    settings = load(data_dir=tmp_path)
    settings.server_file.write_text(text)
    with pytest.raises(ServerUnavailable, match=r"server\.json does not tell .*write it anew"):
        settings.working_url()
    with EmbeddedServer(settings) as server:
        assert settings.working_url() == server.url


def test_an_address_that_cannot_be_read_is_told(file: Path) -> None:
    with pytest.raises(ServerUnavailable, match="Not a directory"):
        load(data_dir=file).working_url()
