"""The command line, as `vtox` and as `python -m vtox`."""

import sys

try:
    from vtox.cli.main import main
except ModuleNotFoundError as error:
    # They come with the wheel, but who imports `vtox` alone may have left them out.
    if error.name not in ("typer", "rich"):
        raise
    print(
        "vtox: commands need the packages typer and rich: "
        f"{sys.executable} -m pip install typer rich",
        file=sys.stderr,
    )
    sys.exit(2)

if __name__ == "__main__":
    main()
