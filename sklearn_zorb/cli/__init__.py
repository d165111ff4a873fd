"""The command line: ``zorb fit, predict, evaluate, summary, demo, datasets``.

The way of a command: `main` (arguments, exit codes) -> a function of `_commands` ->
`_data` (what is read), `_models` (what is fitted and saved), `_weights`.
"""

from ._main import main

__all__ = ["main"]
