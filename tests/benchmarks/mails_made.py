"""What making a mail costs: `python -m tests.benchmarks.mails_made`."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from mjml import mjml2html

from services.notifier.delivery import templates
from services.notifier.domain.kinds import Template
from tests.support.mails import a_letter


def each_us(times: int, what: Callable[[], object]) -> float:
    """Microseconds of this process's CPU for one, the first left out."""
    what()
    started = time.process_time()
    for _ in range(times):
        what()
    return (time.process_time() - started) / times * 1e6


def main() -> None:
    """Print a table."""
    base = (Path(templates.TEMPLATES) / "base.mjml").read_text("utf-8")
    sys.stdout.write("| | |\n| --- | --- |\n")
    cost = each_us(500, lambda: mjml2html(base, fonts={}))
    sys.stdout.write(f"| MJML of the base to HTML, once a process | {cost:.0f} µs |\n")
    for template in Template:
        cost = each_us(500, lambda name=template: a_letter(name))  # type: ignore[misc]
        size = len(a_letter(template).message) / 1000
        sys.stdout.write(f"| {template}, made whole | {cost:.0f} µs, {size:.1f} kB |\n")


if __name__ == "__main__":
    main()
