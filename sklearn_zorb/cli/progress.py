"""A progress bar on a terminal, nothing elsewhere."""

import sys
import time
from contextlib import contextmanager

_WIDTH = 30
_CLEAR_LINE = "\r\x1b[K"


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
    if not sys.stderr.isatty():
        yield lambda text=None: None
        return
    done, start = 0, time.monotonic()

    def draw(text):
        filled = "#" * (_WIDTH * done // total if total else 0)
        count = f" [{filled:<{_WIDTH}}] {done}/{total}" if total else " ..."
        print(f"{_CLEAR_LINE}{text}{count}", end="", file=sys.stderr, flush=True)

    def advance(text=None):
        nonlocal done
        done += 1
        draw(f"{text or description} ({time.monotonic() - start:.0f} s)")

    draw(description)
    try:
        yield advance
    finally:
        print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)
