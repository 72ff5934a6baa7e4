"""A sender process that goes on where it was killed: with the first batch that it has not noted.

python -m tests.integration.pipeline.client.sender URL NUMBERS NOTES BATCHES
"""

import sys
from pathlib import Path

import numpy as np

from vtox.pipeline.client.publisher import Publisher

T0 = 1_764_000_000.0
BATCH, MACHINES, SAMPLES, FS_HZ = 4, 3, 1000, 1000.0
X = np.sin(np.arange(SAMPLES) * 0.3)


def main() -> None:
    url, numbers, notes, batches = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
    noted = len(notes.read_text().split()) if notes.exists() else 0
    with Publisher(url, numbers=numbers, batch_s=60.0) as publisher, notes.open("a") as file:
        for batch in range(noted, batches):
            for i in range(batch * BATCH, (batch + 1) * BATCH):
                publisher.send(
                    f"M{i % MACHINES}", {"ia": X + i}, t0=T0 + i // MACHINES, fs_hz=FS_HZ
                )
            publisher.flush()
            print(batch, file=file, flush=True)


if __name__ == "__main__":
    main()
