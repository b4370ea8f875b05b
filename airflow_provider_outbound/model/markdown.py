"""Changes as Markdown for a person to approve, in which template texts are only ever code."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import accumulate

from airflow_provider_outbound.errors import printable
from airflow_provider_outbound.model.changes import Change, Content, Field, from_difference
from airflow_provider_outbound.model.codec import decode

#: Bytes of all blocks, of one configuration's block, and of the list of what is missing.
#: Airflow's column for a question to a person holds 65,535 bytes on MySQL.
MOST, MOST_OF_ONE, MOST_MISSING = 55_000, 25_000, 5_000
LONGEST, LONGEST_LINE = 2000, 600  # characters of a value, and of a line that is none

REST = "@@ The rest is not shown"


def as_markdown(changes: Iterable[Change[Content]], template_name: str, where: str) -> str:
    """Return changes as Markdown; an empty text if nothing but ``updatedAt`` changed.

    Each configuration has a code block, whose lines begin with ``@@``, ``+`` or ``-``, so that no text can end it.
    If something is not shown, the first line says so, and the last block names it.

    :param changes: what to show.
    :param template_name: the template whose changes come first.
    :param where: where everything is.
    """
    shown = [change for change in changes if _fields(change)]
    shown.sort(key=lambda change: all(template_name not in state.names for state in change.states))
    blocks, missing, left = [], [], MOST
    for change in shown:
        title = f"@@ {change.kind}: {_title(change.states[0])}"
        lines = _cut([title, *_lines(change)], MOST_OF_ONE, REST)
        block = _block(lines)
        size = len(block.encode()) + 2
        if size > left:
            missing.append(f"{title}: not shown")
            continue
        left -= size
        blocks.append(block)
        if REST in lines:
            missing.append(f"{title}: shown in part")
    if not shown:
        return ""
    head = f"Configurations that changed: {len(shown)}."
    if missing:
        head += f" **Not shown whole: {len(missing)}. The last lines name them.**"
        named = _cut(missing, MOST_MISSING, "@@ and others")
        blocks.append(_block([*named, f"@@ everything: {printable(where, LONGEST_LINE)}"]))
    return "\n\n".join([head, *blocks])


def _title(state: Content) -> str:
    """Return a configuration's names, places and id on one line."""
    places = ", ".join("/".join(filter(None, place)) for place in state.places)
    whose = f"{', '.join(state.names) or 'without a name'} ({places}), id {state.id or 'missing'}"
    return printable(_double(whose), LONGEST_LINE)


def _block(lines: Iterable[str]) -> str:
    return "\n".join(["```diff", *lines, "```"])


def _cut(lines: list[str], most: int, rest: str) -> list[str]:
    """Return the first lines that fit into a number of bytes, and one that stands for the others, if any."""
    sizes = accumulate(len(line.encode()) + 1 for line in lines)
    fitting = sum(size <= most for size in sizes)
    return lines if fitting == len(lines) else [*lines[:fitting], rest]


def _fields(change: Change[Content]) -> list[Field]:
    """Return what to show of a change: all fields, if a configuration was created or removed."""
    if change.kind == "updated":
        return [field for field in change.fields if field.path != "updatedAt"]
    before, after = (state.fields() if state else {} for state in (change.before, change.after))
    return [Field(path, before.get(path), after.get(path)) for path in before or after]


def _lines(change: Change[Content]) -> Iterator[str]:
    """Yield the lines of a change after its title."""
    for path, *sides in _fields(change):
        yield f"@@ {printable(path, LONGEST_LINE)}"
        before, after = from_difference(*_texts(*sides), longest=LONGEST)
        for mark, text in (("-", before), ("+", after)):
            if text is not None:
                yield from (f"{mark} {line}" for line in text[:LONGEST].split("\n"))
                if len(text) > LONGEST:
                    yield REST


def _texts(*sides: str | None) -> Iterator[str | None]:
    """Yield a value before and after, given as JSON. A text is shown as text, any other value as JSON."""
    values = {side: decode(side.encode()) for side in sides if side is not None}
    reads = all(isinstance(value, str) for value in values.values())
    for side in sides:
        text = side if side is None or not reads else _double(values[side])
        yield text and "\n".join(printable(line, sys.maxsize) for line in text.split("\n"))


def _double(text: str) -> str:
    """Return text whose own backslashes are doubled, because ``printable`` writes others."""
    return text.replace("\\", "\\\\")
