"""The root of all refusals."""

from typing import ClassVar


class StsError(Exception):
    """The library refused something; ``code`` says what, in a form that does not change."""

    code: ClassVar[str] = "STS_ERROR"
    hint: ClassVar[str] = ""
    """What a person can do about it, where the same advice always fits."""
