"""Files of test vectors that cannot be read."""

from sts.errors.root import StsError


class VectorFileError(StsError):
    """A file of test vectors that cannot be read as one."""

    code = "VECTOR_FILE"
