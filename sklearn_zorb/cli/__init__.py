"""The command line: ``zorb fit, predict, evaluate, summary, demo, datasets``.

The way of a command: `main` (arguments, exit codes) -> a function of `commands` ->
`data` (what is read), `models` (what is fitted and saved), `weights`.
"""

from .command_line import main

__all__ = ["main"]
