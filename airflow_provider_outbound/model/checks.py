"""The checks of templates, and the messages about the problems that they find."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal, NamedTuple

from airflow_provider_outbound.errors import ConfigError, ProblemsFound, printable
from airflow_provider_outbound.model.values import integer

_API = "LivePerson's API page <https://developers.liveperson.com/outbound-configuration-api-overview.html>"
_GUIDE = (
    "LivePerson's user guide <https://knowledge.liveperson.com/"
    "messaging-channels-proactive-messaging-proactive-messaging-user-guide.html>"
)
_RCS = (
    "LivePerson's limits for RCS "
    "<https://developers.liveperson.com/rcs-for-business-messaging-templates-limitations.html>"
)
_META = (
    "Meta's template components "
    "<https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components>"
)
_REJECTED = (
    "AWS on what Meta rejects "
    "<https://docs.aws.amazon.com/social-messaging/latest/userguide/managing-templates_rejection.html>"
)
_RCS_TEXT = (
    "AWS's limits for RCS <https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-rcs.html>"
)
_E164 = "Twilio on E.164 <https://www.twilio.com/docs/glossary/what-e164>"


class Check(NamedTuple):
    """A check, and where its rule comes from.

    :param code: its name in ``fail_on``, tables and messages.
    :param severity: ``error`` if the message can't be sent, or the customer sees it broken; ``warning`` if it is
        probably a mistake.
    :param meaning: what it finds.
    :param source: where its rule comes from; a link is written as ``title <URL>``.
    """

    code: str
    severity: Literal["error", "warning"]
    meaning: str
    source: str


#: All checks. The table in docs/reference/checks.rst is made from them.
CHECKS = (
    Check("undeclared", "error", "A component's texts use a placeholder that it does not declare.", _API),
    Check(
        "empty",
        "error",
        "There is nothing to send: a body or in-app text has no visible character, a channel has no body, or "
        "there is no channel. RCS may have media instead of a body; in-app needs a text or an image. Media and "
        "images count if they have a URL.",
        f"{_META}; {_GUIDE}",
    ),
    Check("language", "error", "A channel has no language.", _API),
    Check("phone", "error", "A sender, or the number of a button, is not a phone number in E.164.", _E164),
    Check("long", "error", "A text is longer than its channel allows; the limits are below.", "see below"),
    Check(
        "malformed",
        "error",
        "A text or URL has ``{{`` or ``}}`` outside a placeholder, such as ``{{first name}}`` or ``{{1``. No "
        "campaign fills it.",
        _API,
    ),
    Check("rows", "error", "The listing has fewer configurations than ``min_rows``.", "your ``min_rows``"),
    Check("unused", "warning", "A component declares a variable that its texts do not use.", _API),
    Check("gap", "warning", "The numbers of a channel's variables have a gap, such as 1 and 3.", _REJECTED),
    Check(
        "duplicate",
        "warning",
        "Two channels of the same type and language have the same configuration name. One configuration may have "
        "in-app channels for different apps.",
        _GUIDE,
    ),
    Check(
        "buttons",
        "warning",
        "WhatsApp: more than 3 quick replies or 2 calls to action. RCS: more than 4 buttons on a card, or 11 "
        "below a text.",
        f"{_GUIDE}; {_RCS}",
    ),
    Check(
        "url",
        "warning",
        "A URL is not ``https``, or the URL of a WhatsApp button has more than one variable. Links of in-app "
        "messages and RCS buttons may open an app.",
        f"``https`` is this provider's rule; {_META}",
    ),
)
SEVERITIES = {check.code: check.severity for check in CHECKS}
#: What ``fail_on`` may name; ``min_rows`` itself asks to fail.
CODES = [code for code in SEVERITIES if code != "rows"]

#: The most characters of a text, with their source, by channel, component and field. An RCS card is a body with a
#: title or beside media.
LIMITS = {
    ("wa", "header", "content"): (60, _META),
    ("wa", "body", "content"): (1024, _META),
    ("wa", "footer", "content"): (60, _META),
    ("wa", "button", "content"): (25, _META),
    ("wa", "button", "url"): (2000, _META),
    ("googlercs", "card", "title"): (200, _RCS),
    ("googlercs", "card", "content"): (2000, _RCS),
    ("googlercs", "body", "content"): (3072, _RCS_TEXT),
    ("googlercs", "button", "content"): (25, _RCS),
}

MOST_SHOWN = 3  # problems in one message
TWIN = "has the same channel and language as channel"  # and the other channel's number, from 0


class Problem(NamedTuple):
    """A problem and its place, without the template's text.

    :param code: the code of its check.
    :param configuration_index: the configuration's place in the listing, from 0.
    :param configuration_id: its id.
    :param configuration_name: its name; of a bare channel, the WhatsApp templatename.
    :param channel_index: the channel's place in the configuration; None if the configuration has no channel.
    :param channel_type: the channel's type.
    :param language: the channel's language.
    :param component_index: the component's place in the channel; None for a problem of the whole channel.
    :param component_type: the component's type.
    :param detail: what is wrong, in words that follow the template's name and place.
    """

    code: str
    configuration_index: int
    configuration_id: str | None
    configuration_name: str | None
    channel_index: int | None
    channel_type: str | None
    language: str | None
    component_index: int | None
    component_type: str | None
    detail: str

    @property
    def severity(self) -> str:
        """``error`` or ``warning``."""
        return SEVERITIES[self.code]

    @property
    def template(self) -> str:
        """What finds the template: its name, its id, or its place in the listing."""
        return self.configuration_name or self.configuration_id or f"configuration {self.configuration_index}"

    def __str__(self) -> str:
        place = "/".join(filter(None, (self.channel_type, self.language)))
        where = [self.template, f"({place})" if place else "", self.component_type or ""]
        shown = [printable(each, 100) for each in where if each]
        return " ".join([*shown, self.detail, f"[{self.code}]"])


def parse_codes(fail_on: str | Sequence[str] | None) -> list[str]:
    """Return the codes of checks, each once.

    :param fail_on: codes, as a list or as text with commas (``empty,undeclared``); None or blank for none.
    :raises ConfigError: for anything else.
    """
    if isinstance(fail_on, str):
        fail_on = re.split(" *, *", fail_on.strip()) if fail_on.strip() else []
    given = fail_on or []
    unknown = [each for each in given if each not in CODES] if isinstance(given, Sequence) else [given]
    if unknown:
        shown = printable(", ".join(map(repr, unknown)), 60)
        raise ConfigError(f"fail_on has {shown}: the checks are {', '.join(CODES)}")
    return list(dict.fromkeys(given))


def parse_min_rows(min_rows: int | str | None) -> int:
    """Return the fewest configurations that a listing may have; 0 for any number.

    :param min_rows: a number, or its text; None or empty for 0.
    :raises ConfigError: for anything else.
    """
    number = 0 if min_rows in (None, "") else integer(min_rows)
    if number is None or number < 0:
        raise ConfigError(f"min_rows is {printable(repr(min_rows), 60)}: give a number of configurations")
    return number


def count_problems(problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the number of problems: in total, by severity and by code."""
    severities = Counter(problem.severity for problem in problems)
    codes = Counter(problem.code for problem in problems)
    return {
        "rows": len(problems),
        "error": severities["error"],
        "warning": severities["warning"],
        "codes": {code: codes[code] for code in SEVERITIES if code in codes},
    }


def tally(problems: Sequence[Problem], place: str) -> str:
    """Return the number of problems as a sentence.

    :param problems: the problems.
    :param place: host and account, or an export.
    """
    counts = count_problems(problems)
    if not problems:
        return f"The checks found no problems at {place}"
    found = " and ".join(_counted(counts[each], each) for each in ("error", "warning"))
    codes = ", ".join(f"{code} {number}" for code, number in counts["codes"].items())
    return f"The checks found {found} at {place}: {codes}"


def summary(problems: Sequence[Problem], place: str = "") -> str:
    """Return problems as a sentence: how many templates have them, and the first problems.

    :param problems: the problems; one at least.
    :param place: host and account, if known.
    """
    unfit = len({problem.configuration_index for problem in problems})
    at = f" at {place}," if place else ""
    shown = "; ".join(map(str, problems[:MOST_SHOWN]))
    more = f"; and {_counted(left, 'more problem')}" if (left := len(problems) - MOST_SHOWN) > 0 else ""
    return f"{_counted(unfit, 'template')}{at} {'has' if unfit == 1 else 'have'} problems: {shown}{more}"


def refuse(problems: Iterable[Problem], codes: Collection[str], place: str = "") -> None:
    """Raise an error if there are problems of some checks.

    :param problems: the problems.
    :param codes: the checks that count.
    :param place: host and account, if known.
    :raises ProblemsFound: with the first problems in its message.
    """
    if found := [problem for problem in problems if problem.code in codes]:
        advice = "Correct this in LivePerson's web tool, or remove the check from fail_on"
        raise ProblemsFound(f"{summary(found, place)}. {advice}")


def refuse_few(rows: int, fewest: int, place: str) -> None:
    """Raise an error if a listing is too short.

    :param rows: its configurations.
    :param fewest: the fewest that it may have.
    :param place: host and account.
    :raises ProblemsFound: if there are fewer.
    """
    if rows < fewest:
        raise ProblemsFound(
            f"Only {_counted(rows, 'configuration')} at {place}, but min_rows is {fewest}: check the Connection's "
            "host and schema and the task's channel, or lower min_rows [rows]"
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
