"""Which words of a text changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from airflow_provider_outbound.model.items import PLACEHOLDER

#: A placeholder, a word, or any other character. Times, decimal numbers, domains and names are one word.
_TOKEN = re.compile(rf"(?:{PLACEHOLDER.pattern})|[^\W_]+(?:[.,:'’_][^\W_]+)*|\S")
_MARKS = "*_~`"  # WhatsApp's formatting is hidden, and so is a change of it
MOST = 1000  # words that are compared: the time grows with the square of their number, at worst with its cube

Ranges = list[tuple[int, int]]


def changes(before: str, after: str) -> tuple[Ranges, Ranges]:
    """Return the ranges of words that only one of two texts has.

    A range contains no line break and no mark of WhatsApp's formatting. It neither begins nor ends with a space.
    If a text has more than 1,000 words, all words of both count as changed.

    :param before: a text.
    :param after: what became of it.
    """
    if before == after:
        return [], []
    olds, news = list(_TOKEN.finditer(before)), list(_TOKEN.finditer(after))
    if max(len(olds), len(news)) > MOST:
        return _ranges(before, olds), _ranges(after, news)
    matcher = SequenceMatcher(None, [old[0] for old in olds], [new[0] for new in news])
    left: Ranges = []
    right: Ranges = []
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag != "equal":
            left += _ranges(before, olds[i:j])
            right += _ranges(after, news[k:m])
    return left, right


def _ranges(text: str, tokens: Sequence[re.Match[str]]) -> Ranges:
    """Return the ranges of neighbouring tokens."""
    ranges: Ranges = []
    joins = False
    for token in tokens:
        start, end = token.span()
        if token[0] in _MARKS:
            joins = False
        elif joins and "\n" not in text[ranges[-1][1] : start]:
            ranges[-1] = (ranges[-1][0], end)
        else:
            ranges.append((start, end))
            joins = True
    return ranges
