"""An archive that is damaged, not ours or of a later form changes nothing."""

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.reporting.backup.conftest import Saved
from vtox.motor.errors import InputError
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import kept_state
from vtox.reporting.backup import archive, restoring
from vtox.reporting.backup.errors import ArchiveError
from vtox.reporting.history.errors import HistoryUnavailable


def rewrite(path: Path, manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> Path:
    """Write an archive of a manifest and members, valid or not."""
    changed = path.with_name("changed.tar.gz")
    with tarfile.open(changed, "w:gz") as tar:
        for name, content in {archive.MANIFEST: json.dumps(manifest).encode(), **members}.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    return changed


def unpack(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return manifest and members."""
    with tarfile.open(path) as tar:
        files = {m.name: tar.extractfile(m).read() for m in tar}  # type: ignore[union-attr]
    return json.loads(files.pop(archive.MANIFEST)), files


def with_member(path: Path, name: str, content: bytes) -> Path:
    """Write the archive again with another content of a member, to which the manifest agrees."""
    manifest, members = unpack(path)
    digest = hashlib.sha256(content).hexdigest()
    manifest["members"][name] = {"bytes": len(content), "sha256": digest}
    return rewrite(path, manifest, members | {name: content})


def code_of(settings: Settings, path: Path) -> str:
    """Return the code with which an archive is refused."""
    with pytest.raises(ArchiveError) as refused, restoring.checked(settings, path):
        pass
    assert list(settings.data_dir.iterdir()) == []
    return refused.value.code


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_an_archive_cut_short_is_damaged(saved: Saved, empty: Settings, share: float) -> None:
    whole = saved.path.read_bytes()
    saved.path.write_bytes(whole[: int(share * len(whole))])
    assert code_of(empty, saved.path) == "damaged"


def plain(compressed: bytes) -> bytes | None:
    """Return the uncompressed archive, None if it is damaged."""
    try:
        return gzip.decompress(compressed)
    except (OSError, EOFError, zlib.error):
        return None


def test_an_archive_with_a_changed_byte_is_damaged(saved: Saved, empty: Settings) -> None:
    whole, refused = saved.path.read_bytes(), 0
    # The last eight bytes are checksum and length.
    for at in (*range(0, len(whole), len(whole) // 30), len(whole) - 6):
        changed = bytearray(whole)
        changed[at] ^= 0x10
        # A copy of zeros from elsewhere among zeros, or the time in the header, changes nothing.
        if plain(changed) != plain(whole):
            saved.path.write_bytes(changed)
            assert code_of(empty, saved.path) == "damaged"
            refused += 1
    assert refused > 15


def test_a_member_that_is_not_the_one_of_the_manifest_is_damage(
    saved: Saved, empty: Settings
) -> None:
    manifest, members = unpack(saved.path)
    other = members[archive.MACHINES].replace(b"M2", b"M3")
    assert code_of(empty, rewrite(saved.path, manifest, members | {archive.MACHINES: other})) == (
        "damaged"
    )
    del members[archive.ALERTS]
    assert code_of(empty, rewrite(saved.path, manifest, members)) == "damaged"


@pytest.mark.parametrize("row", [b"[]\n", b'{"machine_id": "M1"}\n', b"no json\n", b"\xff\n"])
def test_a_row_that_is_none_is_damage(saved: Saved, empty: Settings, row: bytes) -> None:
    assert code_of(empty, with_member(saved.path, archive.MACHINES, row)) == "damaged"


def test_a_name_that_leads_out_of_the_folder_is_refused(saved: Saved, empty: Settings) -> None:
    outside = "../../outside"
    assert code_of(empty, with_member(saved.path, outside, b"x")) == "damaged"
    assert not (empty.data_dir.parent / "outside").exists()


def test_what_is_no_archive_is_damaged(saved: Saved, empty: Settings, tmp_path: Path) -> None:
    saved.path.write_text("no archive")
    assert code_of(empty, saved.path) == "damaged"
    assert code_of(empty, rewrite(saved.path, {}, {})) == "damaged"
    with (
        pytest.raises(InputError, match="No such file"),
        restoring.checked(empty, tmp_path / "nowhere"),
    ):
        pass


def test_a_later_form_is_refused_by_name(saved: Saved, empty: Settings) -> None:
    manifest, members = unpack(saved.path)
    later = {"form": archive.FORM + 1, "vtox": "99.0", "something": "else"}
    assert code_of(empty, rewrite(saved.path, later, members)) == "later_form"
    assert manifest["form"] == archive.FORM


def test_a_damaged_history_is_found_before_anything_changes(
    saved: Saved, empty: Settings, client: Client
) -> None:
    _, members = unpack(saved.path)
    file = bytearray(members["history.sqlite"])
    file[4096:] = bytes(len(file) - 4096)
    path = with_member(saved.path, "history.sqlite", bytes(file))
    with pytest.raises(HistoryUnavailable), restoring.checked(empty, path):
        pass
    assert not any(kept_state.counts(client).values())
    assert list(empty.data_dir.iterdir()) == []
