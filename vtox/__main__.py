"""`python -m vtox`: the command line."""

from vtox.cli.main import main

if __name__ == "__main__":
    main()
