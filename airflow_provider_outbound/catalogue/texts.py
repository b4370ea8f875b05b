"""Texts as their channel shows them, as HTML: placeholders, links and WhatsApp's formatting."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from airflow_provider_outbound.model import values
from airflow_provider_outbound.model.items import PLACEHOLDER

MOST = 10_000  # characters shown of a text; the longest that a channel allows has 3,072 (RCS)
MORE = "… (the rest is in the JSON)"

#: Control characters that no phone shows, and what HTML forbids. Tabs and line breaks stay.
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
#: What phones turn into a link: a URL, and a domain with a path, such as example.com/offers.
_LINK = re.compile(r"(?<![\w.@/-])(?:https?://|www\.|(?:[a-z0-9-]+\.)+[a-z]{2,}/)[^\s<>\"]+", re.IGNORECASE)
_AFTER_LINK = ".,;:!?)]'\"…*_~"  # a sentence goes on behind a link


class Span(NamedTuple):
    """A part of a text within an element.

    :param start: where it begins.
    :param end: where it ends.
    :param element: the element's name and attributes.
    """

    start: int
    end: int
    element: str


def visible(value: Any) -> str:
    """Return the text that a phone can show of a JSON value; empty for what is neither a string nor a number."""
    text = values.text(value) or ""
    if len(text) > MOST:
        text = text[:MOST] + MORE
    return _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def html(
    text: str,
    declared: Collection[str] = (),
    *,
    links: bool = False,
    formatted: bool = False,
    plain: bool = False,
    changed: Sequence[tuple[int, int]] = (),
    mark: str = "",
) -> Markup:
    """Return a text as HTML, in which a placeholder is a ``var``.

    :param text: what :func:`visible` returned.
    :param declared: the variables that its component declares.
    :param links: whether links are shown as such.
    :param formatted: whether it has WhatsApp's formatting.
    :param plain: whether to leave out all elements but ``var``.
    :param changed: the ranges to mark as changed, in order.
    :param mark: the element that marks them: ``ins`` or ``del``.
    """
    variables = dict(_variables(text, declared))
    spans: list[Span] = []
    hidden: list[tuple[int, int]] = []
    masked = _masked(text, ((start, end) for start, (end, _) in variables.items()), "x")
    if formatted:
        masked = _code(masked, spans, hidden)
    if links:
        found = [Span(*_link(match), "u") for match in _LINK.finditer(masked)]
        spans += found
        masked = _masked(masked, ((start, end) for start, end, _ in found), "x")
    if formatted:
        _lines(masked, spans, hidden)
        _emphasis(masked, spans, hidden)
    return _joined(text, [] if plain else spans, hidden, variables, changed, mark)


def _variables(text: str, declared: Collection[str]) -> Iterator[tuple[int, tuple[int, Markup]]]:
    """Yield where each placeholder begins, where it ends, and its element."""
    if "$" not in text and "{{" not in text:
        return
    for match in PLACEHOLDER.finditer(text):
        name, number = match.groups()
        if name or number in declared:
            yield match.start(), (match.end(), variable(name or number, declared))


def variable(name: str, declared: Collection[str]) -> Markup:
    """Return the element of a placeholder.

    :param name: its name.
    :param declared: the variables that its component declares.
    """
    # A name has letters, which must not decide the direction of the text around it.
    direction = "" if name.isdigit() else ' dir="auto"'
    unknown = "" if name in declared else ' class="u"'
    return Markup(f"<var{direction}{unknown}>{escape(name)}</var>")  # noqa: S704 - the name is escaped


def without_variables(text: str, declared: Collection[str] = ()) -> tuple[str, int]:
    """Return a text without its placeholders, and how many it has.

    :param text: what :func:`visible` returned.
    :param declared: the variables that its component declares.
    """
    ranges = [(start, end) for start, (end, _) in _variables(text, declared)]
    for start, end in reversed(ranges):
        text = text[:start] + text[end:]
    return text, len(ranges)


def _masked(text: str, ranges: Iterable[tuple[int, int]], char: str) -> str:
    """Return a text whose ranges are filled with one character, which hides their content from later patterns."""
    for start, end in ranges:
        text = f"{text[:start]}{char * (end - start)}{text[end:]}"
    return text


def _link(match: re.Match[str]) -> tuple[int, int]:
    return match.start(), match.start() + len(match[0].rstrip(_AFTER_LINK))


# WhatsApp's formatting. A mark opens unless a letter or digit is before it, or a space or the same mark behind it;
# it closes unless a space is before it, or a letter or digit behind it. A placeholder counts as a word. Formatting
# ends with its line, except that of ```. Source: https://faq.whatsapp.com/539178204879377; what it leaves open is
# as the bridge mautrix-whatsapp reads it, and as users saw it (https://github.com/chatwoot/chatwoot/issues/10127,
# https://github.com/glific/glific-frontend/issues/2048).

_EMPHASIS = {"*": "b", "_": "i", "~": "s"}
_MARK_OR_BREAK = re.compile(r"[*_~\n]")
_CODE = re.compile(
    r"```(?=\S|\s+[^\s`])((?:(?!```).)+)```|(?<![\w`])`(?=[^`\n]*[^`\s])[^`\n]+`(?![\w`])", re.DOTALL
)
_LINE = re.compile(r"^(?:([*-] )|([0-9]{1,2}\. )|(> ))[^\n]+\n?", re.MULTILINE)


def _code(text: str, spans: list[Span], hidden: list[tuple[int, int]]) -> str:
    """Find monospaced text. Return the text without it, because nothing in it is formatted."""
    found = list(_CODE.finditer(text))
    for match in found:
        size = 3 if match[1] else 1
        start, end = match.span()
        spans.append(Span(start, end, "samp" if match[1] else "code"))
        hidden += [(start, start + size), (end - size, end)]
    return _masked(text, (match.span() for match in found), ".")


def _lines(text: str, spans: list[Span], hidden: list[tuple[int, int]]) -> None:
    """Find the lines of lists and quotes."""
    for match in _LINE.finditer(text):
        bullet, number, _ = match.groups()
        spans.append(Span(*match.span(), f'span class="{"li" if bullet else "ol" if number else "q"}"'))
        if not number:
            hidden.append((match.start(), match.start() + 2))


def _emphasis(text: str, spans: list[Span], hidden: list[tuple[int, int]]) -> None:
    """Find pairs of marks. One that crosses another pair is text."""
    open_: list[tuple[str, int]] = []
    for match in _MARK_OR_BREAK.finditer(text):
        mark, at = match[0], match.start()
        before, after = text[at - 1 : at], text[at + 1 : at + 2]
        if mark == "\n":
            open_ = []
            continue
        opened = next((index for index, (each, _) in enumerate(open_) if each == mark), None)
        if opened is None:
            if not before.isalnum() and after and not after.isspace() and after != mark:
                open_.append((mark, at))
        elif not before.isspace() and not after.isalnum():
            start = open_[opened][1]
            spans.append(Span(start, at + 1, _EMPHASIS[mark]))
            hidden += [(start, start + 1), (at, at + 1)]
            del open_[opened:]


def _joined(
    text: str,
    spans: list[Span],
    hidden: list[tuple[int, int]],
    variables: dict[int, tuple[int, Markup]],
    changed: Sequence[tuple[int, int]],
    mark: str,
) -> Markup:
    """Return the HTML of a text: its pieces between all bounds, within their elements."""
    if not (spans or hidden or variables or changed):
        return escape(text)
    opening: dict[int, list[Span]] = {}
    for span in sorted(spans, key=lambda span: -span.end):  # the outer one first
        opening.setdefault(span.start, []).append(span)
    unseen = {at for start, end in hidden for at in range(start, end)}
    begins, ends = dict(changed), {end for _, end in changed}
    edges = {at for start, end, _ in spans for at in (start, end)}
    bounds = {0, len(text), *edges, *begins, *ends}
    bounds.update(at for pair in hidden for at in pair)
    bounds.update(at for start, (end, _) in variables.items() for at in (start, end))
    pieces: list[str] = []
    stack: list[Span] = []
    marked = changing = False
    for start, end in pairwise(sorted(bounds)):
        changing = start in begins or (changing and start not in ends)
        if marked and (not changing or start in edges):
            pieces.append(f"</{mark}>")
            marked = False
        while stack and stack[-1].end <= start:
            pieces.append(f"</{stack.pop().element.split()[0]}>")
        for span in opening.get(start, ()):
            pieces.append(f"<{span.element}>")
            stack.append(span)
        if start in unseen:
            continue
        if changing and not marked:
            pieces.append(f"<{mark}>")
            marked = True
        pieces.append(variables[start][1] if start in variables else escape(text[start:end]))
    pieces += [f"</{mark}>"] * marked + [f"</{span.element.split()[0]}>" for span in reversed(stack)]
    return Markup("".join(pieces))  # noqa: S704 - each piece is escaped or an element of ours
