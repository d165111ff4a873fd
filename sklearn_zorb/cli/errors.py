"""What the user did wrong, as opposed to what went wrong."""


class InputError(ValueError):
    """The arguments or the data cannot be used: exit code 2."""
