"""Runs the commands of the tour, as a reader types them, while the demo runs."""

import os
import re
import subprocess
from pathlib import Path

TOUR = Path("docs/tutorial/tour.md")


def broken_commands(api_port: int, environment: dict[str, str]) -> str:
    """Return the command of the tour that failed, with its output; empty if none did."""
    blocks = re.findall(r"```sh\n(.*?)```", TOUR.read_text(), re.DOTALL)
    commands = [c for block in blocks for c in block.splitlines() if c != "make demo"]
    for command in commands:
        # With another port than the one in the tour, as several checkouts may run here.
        text = command.replace("127.0.0.1:8000", f"127.0.0.1:{api_port}")
        text = text.replace("curl -s", "curl -sS --fail-with-body")
        done = subprocess.run(
            ["bash", "-c", text],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode or not (done.stdout + done.stderr).strip():
            said = f"{done.stdout[-500:]}{done.stderr[-500:]}"
            return f"`{command}` of the tour ended with {done.returncode}: {said}"
    print(f"tour: {len(commands)} commands run")
    return ""
