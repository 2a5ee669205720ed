"""`python -m tests.benchmarks [NAME…]`: each in a process of its own, all of them by default."""

import subprocess
import sys
from pathlib import Path

FRAME = {"__init__", "__main__", "rounds", "ground"}
NAMES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in FRAME)


def main(wanted: list[str]) -> int:
    """Run them one after another; one that fails keeps none of the others."""
    if unknown := [name for name in wanted if name not in NAMES]:
        print(f"There is no {', '.join(unknown)}; there are {', '.join(NAMES)}.")
        return 2
    failed = []
    for name in wanted or NAMES:
        print(f"\n── {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"]).returncode:
            failed.append(name)
    if failed:
        print(f"\nNot measured: {', '.join(failed)}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
