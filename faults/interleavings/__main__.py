"""`python -m faults.interleavings --seeds 200 --seed 0`."""

import os
import sys

# Before anything is imported, as a seed must replay the order of sets too.
if os.environ.get("PYTHONHASHSEED") != "0":
    os.environ["PYTHONHASHSEED"] = "0"
    os.execv(sys.executable, [sys.executable, "-m", "faults.interleavings", *sys.argv[1:]])

from faults.interleavings import virtual

virtual.install()

from faults.interleavings.command import main  # noqa: E402

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
