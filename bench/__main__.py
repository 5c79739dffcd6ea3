"""All of it, one after the other: ``python -m bench``."""

from __future__ import annotations

import subprocess
import sys

for name in ("acknowledge", "answers", "brain", "equal", "search", "store", "throughput"):
    print(f"== bench.{name}", flush=True)
    subprocess.run([sys.executable, "-m", f"bench.{name}"], check=True)
