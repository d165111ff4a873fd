"""A progress bar on a terminal, nothing elsewhere."""

import sys
import time
from contextlib import contextmanager

_WIDTH = 30


@contextmanager
def progress(description, total=None):
    """Show progress on standard error while the block runs, if it is a terminal.

    Parameters
    ----------
    description : str
        What is being done.

    total : int or None, default=None
        The number of steps; None where it is not known.

    Yields
    ------
    callable
        To be called after each step, with a text that says what comes next, or without.
    """
    start, done = time.monotonic(), -1

    def advance(text=None):
        nonlocal done
        done += 1
        bar, seconds = "...", time.monotonic() - start
        if total:
            bar = f"[{'#' * (_WIDTH * done // total):<{_WIDTH}}] {done}/{total}, {seconds:.0f} s"
        _draw(f"{text or description} {bar}")

    if not sys.stderr.isatty():
        yield lambda text=None: None
        return
    advance()
    try:
        yield advance
    finally:
        _draw("")


def _draw(line):
    """A line in place of the one that the cursor is on."""
    sys.stderr.write(f"\r\x1b[K{line}")
    sys.stderr.flush()
