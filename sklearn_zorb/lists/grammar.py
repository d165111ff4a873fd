r"""The grammar of layers written as text, and its parser.

Where ``?`` marks what may be left out and ``*`` what may be repeated::

    layers    = layer layer*
    layer     = name ("[" (argument ("," argument)* ","?)? "]")? ("(" layers ("|" layers)* ")")?
    argument  = (name "=")? value
    value     = number | name | string | "(" (value ("," value)* ","?)? ")"

The text is read by recursive descent, one method of `Parser` for each rule, and nothing is
ever evaluated. Every layer that was registered can be written, as all public ones of
`sklearn_zorb.layers` are. A layer that is made of blocks says so in two class attributes,
``block_parameter`` (the constructor parameter that takes them) and ``many_blocks`` (a list of
lists of layers, or one list).
"""

from __future__ import annotations

import inspect
import math
import re
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from .walker import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..typing import Item

BARE_WORD = re.compile(r"[^\W\d]\w*")
CONSTANTS = {"true": True, "false": False, "none": None}
NOT_FINITE = {"inf", "infinity", "nan"}
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
# layers within layers, or tuples within tuples; copying a list takes a few calls for each
DEEPEST = 30
ALIASES = {"convolution2d": "conv2d", "convolution": "conv2d"}  # the original command line's

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.])
                          |(?i:infinity|inf|nan)\b))
      | (?P<word>[^\W\d]\w*)
      | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<mark>[][(),=|])""",
    re.VERBOSE,
)


class LayerSyntaxError(ValueError):
    """Report text that does not describe layers; a caret stands under the fault.

    Examples
    --------
    >>> from sklearn_zorb.layers import LayerSyntaxError, parse_layers
    >>> try:
    ...     parse_layers("Dense[64 Tanh")
    ... except LayerSyntaxError as error:
    ...     print(error)
    Expected ',' or ']', got 'Tanh'.
        Dense[64 Tanh
                 ^
    """


KNOWN_LAYERS: dict[str, type[Any]] = {}  # classes by lower-case name


def register_layer(layer_class: type[Item]) -> type[Item]:
    """Make a class of layers known to text, under its name in any case.

    Text never imports anything: import the module of the class first. It is known until the
    process ends.

    Parameters
    ----------
    layer_class : type
        A subclass of `Layer`. A class that is defined again, as in a notebook, takes the place of
        the former one.

    Returns
    -------
    layer_class : type
        The same class, so that it can be a decorator.

    Raises
    ------
    TypeError
        If `layer_class` is not a class of layers.
    ValueError
        If another class has the name.

    Examples
    --------
    >>> from sklearn_zorb import parse_layers, register_layer
    >>> from sklearn_zorb.layers import Layer
    >>> @register_layer
    ... class Double(Layer):
    ...     def forward(self, params, inputs, *, rng=None):
    ...         return 2 * inputs
    >>> parse_layers("Dense[8] double")
    [Dense(units=8), Double()]
    """
    if not (isinstance(layer_class, type) and issubclass(layer_class, Node)):
        raise TypeError(
            f"register_layer takes a class of layers, a subclass of Layer; got {layer_class!r}."
        )
    key = layer_class.__name__.lower()
    other = _full_name(KNOWN_LAYERS.get(ALIASES.get(key, key), layer_class))
    if other != _full_name(layer_class):
        raise ValueError(
            f"{layer_class.__name__} is the name of {other}: give the class another one."
        )
    KNOWN_LAYERS[key] = layer_class
    return layer_class


def _full_name(cls: type[Any]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def block_parameter(cls: Any) -> str | None:
    """Name of the constructor parameter that takes blocks; None if there is none."""
    return getattr(cls, "block_parameter", None)


@cache
def text_parameters(cls: Any) -> dict[str, inspect.Parameter]:
    """The constructor's parameters that stand in square brackets, by name."""
    parameters = dict(inspect.signature(cls).parameters)
    for name in (block_parameter(cls), *getattr(cls, "filled", ())):
        parameters.pop(name, None)
    return parameters


class Token(NamedTuple):
    kind: str  # "word", "number", "string", "mark" or "end"
    text: str
    position: int

    def __str__(self) -> str:
        return "the end of the text" if self.kind == "end" else repr(self.text)


class Parser:
    """Reads one text; `parse` returns its layers."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self.tokenize()
        self.token = next(self.tokens)  # the one token of look-ahead
        self.depth = 0

    def parse(self) -> list[Any]:
        layers = self.layers()
        if self.token.kind != "end":
            raise self.misplaced()
        if not layers:
            raise self.fault("The text is empty: write at least one layer, such as Dense[64].")
        return layers

    def fault(self, message: str, token: Token | None = None) -> LayerSyntaxError:
        """The error to raise; `token` is the one at fault, by default the next one."""
        position = (token or self.token).position
        start = self.text.rfind("\n", 0, position) + 1
        line = self.text[start:].partition("\n")[0]
        margin = re.sub(r"[^\t]", " ", self.text[start:position])  # tabs keep the caret in line
        return LayerSyntaxError(f"{message}\n    {line}\n    {margin}^")

    def tokenize(self) -> Iterator[Token]:
        position, end = 0, len(self.text.rstrip())
        while position < end:
            match = _TOKEN.match(self.text, position)
            if match is None:
                raise self.unreadable(position)
            if match.lastgroup != "space":
                yield Token(str(match.lastgroup), match.group(), position)
            position = match.end()
        while True:
            yield Token("end", "", end)

    def unreadable(self, position: int) -> LayerSyntaxError:
        chunk = re.findall(r"[\w.+-]+|.", self.text[position:])[0]
        token = Token("mark", chunk, position)
        if chunk in {"'", '"'}:
            return self.fault("This quote is never closed: add one after the string.", token)
        if re.match(r"[+-]?\.?[0-9]", chunk):
            return self.fault(f"{chunk!r} is no number: write 64, 0.5 or 1e-3.", token)
        return self.fault(f"Unexpected {chunk!r}: quote strings that are not plain words.", token)

    def take(self) -> Token:
        token, self.token = self.token, next(self.tokens)
        return token

    def at(self, mark: str) -> bool:
        return self.token.kind == "mark" and self.token.text == mark

    def accept(self, mark: str) -> Token | None:
        """Take the mark if it comes next, else return None."""
        return self.take() if self.at(mark) else None

    def separator(self, closing: str, opening: Token) -> None:
        """Take a comma; a closing bracket is left for the caller."""
        if self.at(closing) or self.accept(","):
            return
        if self.token.kind == "end":
            raise self.unclosed(closing, opening)
        raise self.fault(f"Expected ',' or {closing!r}, got {self.token}.")

    def unclosed(self, closing: str, opening: Token) -> LayerSyntaxError:
        return self.fault(f"This {opening} is never closed: add {closing!r}.", opening)

    def layers(self) -> list[Any]:
        layers = []
        while self.token.kind == "word":
            layers.append(self.layer())
        return layers

    def misplaced(self) -> LayerSyntaxError:
        """The error for a token that stands where a layer could begin."""
        if self.at(","):
            return self.fault("Layers are separated by spaces: remove this ','.")
        if self.at("|"):
            return self.fault("'|' stands between blocks only: write Parallel(Tanh | Identity).")
        if self.at("]") or self.at(")"):
            return self.fault(f"This {self.token} closes nothing: remove it.")
        return self.fault(f"Expected the name of a layer, as in Dense[64], got {self.token}.")

    def layer(self) -> Any:
        name = self.take()
        cls = self.find_class(name)
        arguments = self.arguments(cls) if self.at("[") else {}
        required = [k for k, p in text_parameters(cls).items() if p.default is p.empty]
        missing = [key for key in required if key not in arguments]
        if missing:
            pattern = f"{cls.__name__}[{', '.join(f'{key}=...' for key in required)}]"
            message = f"{cls.__name__} needs {' and '.join(missing)}: write {pattern}."
            raise self.fault(message, name)
        return cls(**self.blocks(cls, name), **arguments)

    def find_class(self, name: Token) -> Any:
        key = ALIASES.get(name.text.lower(), name.text.lower())
        if key in KNOWN_LAYERS:
            return KNOWN_LAYERS[key]
        close = get_close_matches(key, [*KNOWN_LAYERS, *ALIASES])
        names = dict.fromkeys(KNOWN_LAYERS[ALIASES.get(k, k)].__name__ for k in close)
        guess = f" Did you mean {' or '.join(names)}?"
        known = ", ".join(sorted(cls.__name__ for cls in KNOWN_LAYERS.values()))
        message = (
            f"Unknown layer {name}.{guess if close else ''} Known layers: {known}. "
            "register_layer makes a class of your own known."
        )
        raise self.fault(message, name)

    def blocks(self, cls: Any, name: Token) -> dict[str, Any]:
        """The constructor argument that holds the blocks, if the layer takes any."""
        parameter = block_parameter(cls)
        opening = self.accept("(")
        if parameter is None and opening:
            message = "takes no blocks; arguments stand in square brackets"
            raise self.fault(f"{cls.__name__} {message}: {cls.__name__}[...].", opening)
        if parameter is None:
            return {}
        many = getattr(cls, "many_blocks", False)
        pattern = f"{cls.__name__}({'Dense[64] Tanh | Identity' if many else 'Dense[64] Tanh'})"
        if opening is None:
            default = inspect.signature(cls).parameters[parameter].default
            if default is inspect.Parameter.empty:
                raise self.fault(f"{cls.__name__} needs a block: write {pattern}.", name)
            return {}
        self.deeper(opening)
        blocks = [self.block(opening)]
        while bar := self.accept("|"):
            if not many:
                raise self.fault(f"{cls.__name__} takes one block: write {pattern}.", bar)
            blocks.append(self.block(opening))
        self.take()
        self.depth -= 1
        return {parameter: blocks if many else blocks[0]}

    def block(self, opening: Token) -> list[Any]:
        """The layers of one block, up to ``|`` or the closing parenthesis."""
        layers = self.layers()
        if self.token.kind == "end":
            raise self.unclosed(")", opening)
        if not (self.at("|") or self.at(")")):
            raise self.misplaced()
        if not layers:
            raise self.fault("This block is empty: write a layer, if only Identity.")
        return layers

    def arguments(self, cls: Any) -> dict[str, Any]:
        """Constructor arguments by name, brackets included."""
        opening = self.take()
        arguments: dict[str, Any] = {}
        by_name = False
        while not self.accept("]"):
            start, value = self.token, self.value()
            if start.kind == "word" and (self.at("[") or self.at("(")):
                raise self.fault("Layers stand in parentheses, as in Skip(Dense[64]).", start)
            if start.kind == "word" and self.accept("="):
                key, value, by_name = start.text, self.value(), True
                self.check_keyword(cls, arguments, start)
            elif by_name:
                raise self.fault("Write name=value: arguments by position come first.", start)
            else:
                key = self.positional(cls, len(arguments), start)
            arguments[key] = value
            self.separator("]", opening)
        return arguments

    def check_keyword(self, cls: Any, arguments: dict[str, Any], word: Token) -> None:
        valid = list(text_parameters(cls))
        if word.text in arguments:
            raise self.fault(f"{word} is given twice: remove one.", word)
        if word.text == block_parameter(cls):
            raise self.fault(f"{word} stands in parentheses: {cls.__name__}[...](...).", word)
        if word.text not in valid:
            takes = f"Valid arguments: {', '.join(valid)}." if valid else "It takes none."
            raise self.fault(f"{cls.__name__} has no argument {word}. {takes}", word)

    def positional(self, cls: Any, index: int, start: Token) -> str:
        """Name of the parameter that the argument at this position belongs to."""
        parameters = text_parameters(cls)
        leading = [k for k, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
        if index < len(leading):
            return leading[index]
        if not parameters:
            rather = "layers stand in parentheses" if block_parameter(cls) else "remove them"
            raise self.fault(f"{cls.__name__} takes no arguments: {rather}.", start)
        accepts = f"{len(leading)} by position ({', '.join(leading)})" if leading else "none"
        named = [key for key in parameters if key not in leading]
        hint = f"write the others by name: {', '.join(named)}" if named else "remove the others"
        raise self.fault(f"Too many arguments: {cls.__name__} takes {accepts}; {hint}.", start)

    def value(self) -> Any:
        if self.at("("):
            return self.tuple()
        if self.token.kind in {"mark", "end"}:
            raise self.fault(f"Expected a value, such as 64 or true, got {self.token}.")
        token = self.take()
        if token.kind == "number":
            return self.number(token)
        if token.kind == "string":
            return re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[1]), token.text[1:-1])
        return CONSTANTS.get(token.text.lower(), token.text)

    def tuple(self) -> tuple[Any, ...]:
        opening, values = self.take(), []
        self.deeper(opening)
        while not self.accept(")"):
            values.append(self.value())
            self.separator(")", opening)
        self.depth -= 1
        return tuple(values)

    def deeper(self, opening: Token) -> None:
        """Count a parenthesis that opens within others."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fault(f"Parentheses are nested more than {DEEPEST} deep.", opening)

    def number(self, token: Token) -> float:
        if re.fullmatch(r"[+-]?[0-9]+", token.text):
            return int(token.text)
        number = float(token.text)
        if not math.isfinite(number):
            raise self.fault(f"Numbers must be finite, got {token.text}.", token)
        return number
