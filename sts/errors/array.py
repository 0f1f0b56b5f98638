"""Arrays that cannot be taken row by row."""

from sts.errors.root import StsError


class ArrayError(StsError):
    """An argument of ``sts.batch`` that is wrong as a whole: a slip in the caller's code."""

    code = "ARRAY"


class ArrayTypeError(ArrayError):
    """An array of another type of element than the one that was asked for."""

    code = "ARRAY_TYPE"

    def __init__(self, name: str, *, wanted: str, found: object) -> None:
        """Say which type of element ``name`` has to have and which one was found."""
        super().__init__(f"{name} must hold {wanted}, found {found}")
        self.name = name


class ArrayShapeError(ArrayError):
    """An array of another shape than the one that was asked for."""

    code = "ARRAY_SHAPE"

    def __init__(self, name: str, *, wanted: str, found: tuple[int, ...]) -> None:
        """Say which shape ``name`` has to have and which one was found."""
        super().__init__(f"{name} must have the shape {wanted}, found {found}")
        self.name = name
