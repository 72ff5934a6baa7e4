"""The pages of the site: the documents of the repository, with links that hold in one folder."""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
# Documents of the top level that belong to the site, and their place in it.
TOP_LEVEL = {
    "README.md": "overview.md",
    "SECURITY.md": "SECURITY.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
}
FILES = {"LICENSE", "Makefile"}
_LINK = re.compile(r"(?P<before>\]\()(?P<path>[^)#\s:]+)(?P<part>#[^)\s]*)?(?P<after>\))")


def gather(folder: Path) -> None:
    """Write all pages and their files into a folder, which is emptied first.

    A link to a file of the repository that is no page leads to a copy of it under `files/`. A link
    to a folder leads to its `README.md`, or else to its list.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS, folder)
    for name, place in TOP_LEVEL.items():
        (folder / place).write_text((ROOT / name).read_text())
    origins = {folder / place: ROOT / name for name, place in TOP_LEVEL.items()}
    for page in folder.rglob("*.md"):
        origin = origins.get(page, DOCS / page.relative_to(folder))
        text = _LINK.sub(lambda m, o=origin, p=page: _link(m, o, p, folder), page.read_text())
        page.write_text(text)


def _link(m: re.Match[str], origin: Path, page: Path, folder: Path) -> str:
    target = (origin.parent / m["path"]).resolve()
    if not target.is_relative_to(ROOT) or not target.exists():
        return m[0]
    place = _site_path(target, folder)
    up = "../" * len(page.relative_to(folder).parent.parts)
    return f"{m['before']}{up}{place}{m['part'] or ''}{m['after']}"


def _site_path(target: Path, folder: Path) -> str:
    """Return the path of a file or folder of the repository in the site, from its root."""
    if target.parent == ROOT and target.name in TOP_LEVEL:
        return TOP_LEVEL[target.name]
    if target.is_relative_to(DOCS):
        inside = target.relative_to(DOCS)
        return str(inside) if target.is_file() else _list_folder(target, folder / inside, inside)
    inside = Path("files") / target.relative_to(ROOT)
    copy = folder / inside
    if target.is_dir():
        return _list_folder(target, copy, inside)
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(target, copy)
    return str(inside)


def _list_folder(target: Path, copy: Path, inside: Path) -> str:
    if (target / "README.md").exists():
        return str(inside / "README.md")
    copy.mkdir(parents=True, exist_ok=True)
    names = sorted(p.name for p in target.iterdir() if p.is_file() and p.name[0] not in "._")
    for name in names:
        if not (copy / name).exists():
            shutil.copyfile(target / name, copy / name)
    lines = [f"* [{_title(copy / n)}]({n})" for n in names]
    (copy / "README.md").write_text(f"# {target.relative_to(ROOT)}\n\n" + "\n".join(lines) + "\n")
    return str(inside / "README.md")


def _title(file: Path) -> str:
    first = file.read_text().partition("\n")[0] if file.suffix == ".md" else ""
    return first.removeprefix("# ") or file.name
