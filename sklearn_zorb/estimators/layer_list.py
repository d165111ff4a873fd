"""Nested parameters of estimators whose constructor takes ``layers``."""

from ..layers.names import NestedNames

__all__ = ["LayerListMixin"]


class LayerListMixin(NestedNames):
    """Mixin for estimators with a constructor parameter ``layers``.

    It may hold "auto", text, a list of strings, or a list of layers or ``(name, layer)``
    pairs. Layers in a list get names, as in ``dense_1, tanh_1, dense_2``: the class in lower
    case and a count for each class, unless a pair gives another one. A layer can then be set
    by its name, and its parameters by ``dense_1__units`` or, inside a composite layer,
    ``skip_1__dense_1__units``.

    To be mixed in left of `BaseEstimator`. ``fit`` calls `resolve_layers` for errors on what
    is no layer, and `check_names` for errors on names.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from sklearn_zorb.estimators.layer_list import LayerListMixin
    >>> from sklearn_zorb.layers import Dense, Tanh
    >>> class Network(LayerListMixin, BaseEstimator):
    ...     def __init__(self, layers="auto", *, alpha="loo"):
    ...         self.layers = layers
    ...         self.alpha = alpha
    >>> layers = [Dense(8), Tanh()]
    >>> Network(layers).set_params(dense_1__units=16)
    Network(layers=[Dense(units=16), Tanh()])
    >>> layers
    [Dense(units=8), Tanh()]
    """

    block_parameter = "layers"
    many_blocks = False
