"""A data folder that cannot be used is an error that names the place and the reason."""

from pathlib import Path

import pytest

from vtox.pipeline.cluster.cluster_log import ClusterLog, open_console
from vtox.pipeline.cluster.data_folder import folder_problem, translate_os_errors
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.cluster.file_lock import try_lock
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.errors import ServerUnavailable, SettingsError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("")
    return path


def test_a_usable_folder_is_left_as_it_was(tmp_path: Path) -> None:
    assert folder_problem(tmp_path) == ""
    assert folder_problem(tmp_path / "not" / "yet") == ""
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_folder(file: Path) -> None:
    assert str(file) in folder_problem(file)
    assert folder_problem(file) == folder_problem(file / "below")


def test_a_broken_link_is_no_folder(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "gone")
    assert str(link) in folder_problem(link / "vtox")


def test_files_in_a_folder_that_all_may_read_are_for_the_owner_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for name in ("cluster.log", "cluster.log.1", "server.lock"):
        (tmp_path / name).touch(0o644)
    (tmp_path / "valkey").mkdir(0o755)
    with ClusterLog(tmp_path, open_console(), quiet=True) as log:
        log.write_own("started")
        with EmbeddedServer(load(data_dir=tmp_path)):
            modes = {p.name: p.stat().st_mode & 0o777 for p in tmp_path.iterdir()}
            log_files = list((tmp_path / "valkey" / "appendonlydir").iterdir())
            assert {p.stat().st_mode & 0o777 for p in log_files} == {0o600}
    folders = {"valkey": 0o700, "valkey.sock": 0o700}
    files = ("cluster.log", "cluster.log.1", "server.lock", "server.json")
    assert modes == folders | dict.fromkeys(files, 0o600)


def test_a_new_folder_is_for_the_owner_alone(tmp_path: Path) -> None:
    with EmbeddedServer(load(data_dir=tmp_path / "a" / "b")):
        assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
def test_a_read_only_folder_cannot_be_used() -> None:
    assert "/proc (" in folder_problem(Path("/proc/vtox"))


def test_lock_log_and_server_raise_the_same_error(file: Path) -> None:
    message = f"VTOX_DATA_DIR {file} .*{file}"
    with pytest.raises(SettingsError, match=message):
        try_lock(file / "cluster.lock")
    with pytest.raises(SettingsError, match=message):
        ClusterLog(file, open_console())
    with pytest.raises(SettingsError, match=message):
        EmbeddedServer(load(data_dir=file)).start()


def test_a_foreign_file_in_a_usable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "cluster.log").mkdir()
    with pytest.raises(SettingsError, match=f"{tmp_path / 'cluster.log'}: Is a directory"):
        ClusterLog(tmp_path, open_console())
    with pytest.raises(SettingsError, match="No space left"), translate_os_errors(tmp_path):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("text", ["", '{"port', "[]", "7", '{"port": 1}', '{"port": "x"}'])
def test_a_damaged_address_is_an_error_and_is_written_again(tmp_path: Path, text: str) -> None:
    settings = load(data_dir=tmp_path)
    settings.server_file.write_text(text)
    with pytest.raises(ServerUnavailable, match=r"server\.json") as raised:
        settings.working_url()
    assert "vtox server" in raised.value.remedy
    with EmbeddedServer(settings) as server:
        assert settings.working_url() == server.url


def test_an_unreadable_address_is_an_error(file: Path) -> None:
    with pytest.raises(ServerUnavailable, match="Not a directory"):
        load(data_dir=file).working_url()
