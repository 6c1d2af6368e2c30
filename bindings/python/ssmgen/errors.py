"""The errors of this package that Python has no class for."""


class FormatError(Exception):
    """A file is not what it should be; the message names the file and the place in it."""
