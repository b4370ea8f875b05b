"""How many parts an SMS has.

Source: 3GPP TS 23.038 (alphabets) and 23.040 (parts: a header of 6 of the 140 bytes gives their order).
"""

from __future__ import annotations

from typing import NamedTuple

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")  # each takes the place of two
ONE_7BIT, MANY_7BIT, ONE_UCS2, MANY_UCS2 = 160, 153, 70, 67


class Size(NamedTuple):
    """How long a text is as an SMS.

    :param characters: as networks count them: an emoji is two, and so is a euro sign in the SMS alphabet.
    :param parts: the messages that it takes.
    :param limit: the most characters of each part.
    :param outside: the first character outside the SMS alphabet, which shortens all parts; None if there is none.
    """

    characters: int
    parts: int
    limit: int
    outside: str | None


def size(text: str) -> Size:
    """Return how long a text is as an SMS.

    :param text: the text.
    """
    outside = next((char for char in text if char not in _BASIC and char not in _EXTENDED), None)
    if outside is None:
        widths, one, many = [2 if char in _EXTENDED else 1 for char in text], ONE_7BIT, MANY_7BIT
    else:
        widths, one, many = [2 if ord(char) > 0xFFFF else 1 for char in text], ONE_UCS2, MANY_UCS2
    characters = sum(widths)
    if characters <= one:
        return Size(characters, 1, one, outside)
    parts, used = 1, 0
    for width in widths:
        if used + width > many:  # a character is never divided
            parts, used = parts + 1, 0
        used += width
    return Size(characters, parts, many, outside)
