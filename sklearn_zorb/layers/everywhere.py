"""All rows, on the way that a sample of them takes through layers."""

from .interpolated import Interpolated
from .rows import Rows, settle


class Everywhere:
    """What becomes of all rows, while layers are solved on a sample of them.

    It stands where the last array of the sample does: what lies between that and later outputs
    of the sample is applied to all rows where they are read, and only there. They thus go from
    one layer to the next in pieces that stay in the cache.

    Parameters
    ----------
    rows : array of shape (n_samples, ...)
        All rows, where the sample begins.
    places : ndarray of int
        Which of them the sample is, in order.
    context : Context
    """

    def __init__(self, rows, places, context):
        self._here, self._places, self._context = rows, places, context

    def move(self, reached):
        """Stand where the sample has `reached`, from now on an array of its own."""
        self._here = self._at(reached)

    def rows(self, reached, keep=False):
        """All rows as the sample has `reached`: computed, if to be kept, where memory allows."""
        everything = self._at(reached)
        if not keep:
            return everything
        if isinstance(everything, Interpolated):
            return everything.with_columns(self._kept(everything.columns, reached.columns))
        return self._kept(everything, reached)

    def _kept(self, everything, reached):
        if isinstance(everything, Rows):
            there = not isinstance(reached, Rows)
            known = (self._places, reached) if there else None
            everything = settle(everything, self._context, known=known)
            if there:
                self._here = everything
        return everything

    def _at(self, reached):
        layers, params, start = _path(reached)
        here = self._here
        if isinstance(start, Interpolated):
            here = start.with_columns(self._at(start.columns))
        if not layers:
            return here
        before, own, source = _path(here)
        return Rows(source, (*before, *layers), (*own, *params), reached.shape[1:])


def _path(rows):
    """Layers, and their params, that lead to `rows`, and where they begin."""
    layers, params = (), ()
    while isinstance(rows, Rows):
        layers, params = (*rows.layers, *layers), (*rows.params, *params)
        rows = rows.source
    return layers, params, rows
