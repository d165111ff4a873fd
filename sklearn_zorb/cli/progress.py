"""A progress bar on a terminal, nothing elsewhere."""

import sys
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
    if not sys.stderr.isatty():
        yield lambda text=None: None
        return
    try:
        import rich.progress  # noqa: F401
    except ImportError:
        bar = _plain_bar(description, total)
    else:
        bar = _rich_bar(description, total)
    with bar as advance:
        yield advance


@contextmanager
def _rich_bar(description, total):
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(_WIDTH), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)

        def advance(text=None):
            bar.update(task, advance=1, description=text or description)

        yield advance


@contextmanager
def _plain_bar(description, total):
    done = 0

    def draw(text):
        filled = "#" * (_WIDTH * done // total if total else 0)
        count = f" [{filled:<{_WIDTH}}] {done}/{total}" if total else " ..."
        sys.stderr.write(f"\r\x1b[K{text}{count}")
        sys.stderr.flush()

    def advance(text=None):
        nonlocal done
        done += 1
        draw(text or description)

    draw(description)
    try:
        yield advance
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
