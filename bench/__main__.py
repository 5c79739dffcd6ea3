"""All of it, one after the other: ``python -m bench``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

for path in sorted(Path(__file__).parent.glob("*.py")):
    if path.stem in ("acknowledge", "brain", "store", "throughput"):
        print(f"== bench.{path.stem}", flush=True)
        subprocess.run([sys.executable, "-m", f"bench.{path.stem}"], check=True)
