"""Makes this checkout ready and starts what was asked for: `python -m deploy.setup run`.

Runs on the machine's own Python, so it uses the standard library alone. It ends by becoming the
program that it prepared, so that Ctrl-C reaches that one.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from deploy.setup import assets, broker, browser, environment, peers, prometheus
from deploy.setup.problems import Unready

WORKERS = "3"


def main(arguments: Sequence[str]) -> int:
    """Do what a target of the Makefile asks for."""
    name, *rest = arguments
    try:
        TARGETS[name](rest)
    except Unready as problem:
        sys.stderr.write(f"\n{problem}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def run(_: Sequence[str]) -> None:
    """The whole, in front."""
    environment.make_ready(environment.RUN)
    assets.provide()
    become(["-m", "guichet", "up"])


def apart(counts: Sequence[str]) -> None:
    """Each part as processes of its own, in front."""
    environment.make_ready(environment.RUN)
    assets.provide()
    become(["-m", "deploy.apart", *counts])


def migrate(_: Sequence[str]) -> None:
    """The databases' migrations."""
    environment.make_ready(environment.RUN)
    become(["-m", "guichet", "migrate"])


def tools(_: Sequence[str]) -> None:
    """What lint, types, formatting and locking run on."""
    environment.make_ready((*environment.TEST, *assets.SET))


def make_assets(_: Sequence[str]) -> None:
    """What npm brings for pages and papers."""
    assets.make_ready()


def test(paths: Sequence[str]) -> None:
    """The tests, a file's on one worker where it says so."""
    environment.make_ready(environment.TEST)
    assets.provide()
    broker.provide()
    options = ["-n", WORKERS, "--dist", "loadgroup"]
    become(["-m", "pytest", *options, *paths], {**browser.provide(), **prometheus.provide()})


def bench(names: Sequence[str]) -> None:
    """The benchmarks, or those named; what each is compared with is brought where it can be."""
    environment.make_ready(environment.TEST)
    assets.provide()
    peers.provide()
    broker.provide()
    become(["-m", "tests.benchmarks", *names])


def screenshots(_: Sequence[str]) -> None:
    """The journeys through every page, which keep pictures where this folder is named."""
    environment.make_ready(environment.TEST)
    assets.provide()
    folder = environment.PROJECT / ".cache" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    environment.say(f"The pictures go to {folder.relative_to(environment.PROJECT)}.")
    become(
        ["-m", "pytest", "tests/journeys/test_pages.py"],
        {**browser.provide(), "GUICHET_TEST_SCREENSHOTS": str(folder)},
    )


def become(arguments: Sequence[str], settings: Mapping[str, str] | None = None) -> None:
    """Go on as the environment's Python with these arguments."""
    os.chdir(environment.PROJECT)
    os.execve(
        environment.PYTHON,
        [str(environment.PYTHON), *arguments],
        {**os.environ, **(settings or {})},
    )


TARGETS: Mapping[str, Callable[[Sequence[str]], None]] = {
    "run": run,
    "apart": apart,
    "migrate": migrate,
    "tools": tools,
    "assets": make_assets,
    "test": test,
    "bench": bench,
    "screenshots": screenshots,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
