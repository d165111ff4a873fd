"""Progress on standard error: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVERY = 15.0  # seconds between lines where there is no terminal
_WIDTH = 30


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Show progress on standard error while the block runs.

    On a terminal that is a bar, elsewhere a line every 15 seconds, so that logs of short runs
    have none.

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
    start, done, now = time.monotonic(), 0, description
    bar = sys.stderr.isatty()

    def shown() -> str:
        seconds = f"{time.monotonic() - start:.0f} s"
        if not total:
            return f"{now} ... {seconds if not bar else ''}".rstrip()
        filled = f"[{'#' * (_WIDTH * done // total):<{_WIDTH}}] " if bar else ""
        return f"{now} {filled}{done}/{total}, {seconds}"

    def advance(text: str | None = None) -> None:
        nonlocal done, now
        done, now = done + 1, text or description
        if bar:
            _draw(shown())

    if bar:
        _draw(shown())
        try:
            yield advance
        finally:
            _draw("")
        return
    with _lines(shown):
        yield advance


@contextmanager
def _lines(shown: Callable[[], str]) -> Iterator[None]:
    """Write a line now and then, from a thread: a step may take long."""
    ended = Event()

    def write() -> None:
        while not ended.wait(EVERY):
            sys.stderr.write(f"zorb: {shown()}\n")
            sys.stderr.flush()

    thread = Thread(target=write, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _draw(line: str) -> None:
    """Write a line in place of the one that the cursor is on."""
    sys.stderr.write(f"\r\x1b[K{line}")
    sys.stderr.flush()
