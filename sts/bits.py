"""Bit layouts as data, so that the fields of a token need no shifts and masks of their own.

A layout is a sequence of ``(field, width)`` pairs, most significant field first. ``pack`` and
``unpack`` are the two directions of the same table, so a field can never be read from another
place than it was written to.
"""

from collections.abc import Mapping

from sts.errors import FieldRangeError


class Layout:
    """A named, fixed arrangement of unsigned fields in one whole number.

    Attributes:
        fields: ``(name, width in bits)`` pairs, most significant first.
        width: Sum of the widths.
    """

    __slots__ = ("_slots", "fields", "width")

    def __init__(self, *fields: tuple[str, int]) -> None:
        """Lay out ``fields`` side by side, the first one at the most significant end."""
        self.fields = fields
        self.width = sum(width for _, width in fields)
        shift = self.width
        slots = []
        for name, width in fields:
            shift -= width
            slots.append((name, shift, (1 << width) - 1))
        self._slots = tuple(slots)

    def pack(self, values: Mapping[str, int]) -> int:
        """Join ``values`` into one whole number of ``width`` bits.

        Raises:
            FieldRangeError: A value does not fit the width of its field.
        """
        word = 0
        for name, shift, mask in self._slots:
            value = values[name]
            if not 0 <= value <= mask:
                raise FieldRangeError(name, low=0, high=mask, found=value)
            word |= value << shift
        return word

    def unpack(self, word: int) -> dict[str, int]:
        """Take ``word`` apart into its fields, in the order of the layout."""
        return {name: word >> shift & mask for name, shift, mask in self._slots}

    def positions(self, offset: int = 0) -> tuple[tuple[str, int, int], ...]:
        """List ``(name, highest bit, lowest bit)`` of each field, counted from ``offset``."""
        return tuple(
            (name, shift + mask.bit_length() - 1 + offset, shift + offset)
            for name, shift, mask in self._slots
        )
