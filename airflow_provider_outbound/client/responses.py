"""What a response means: its content, nothing at all, or an error that says what to do.

Sources: the Outbound Configuration API, Outbound Reporting API, Domain API, Connect to Messaging API and Connector
API (AppJWT) pages and the retry policy page of https://developers.liveperson.com, read in November 2026.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from airflow_provider_outbound import errors
from airflow_provider_outbound.client.account import Account, Secret, host_of, sender_of
from airflow_provider_outbound.client.sender import Response
from airflow_provider_outbound.errors import printable
from airflow_provider_outbound.model.codec import decode, encode, split
from airflow_provider_outbound.model.items import Record
from airflow_provider_outbound.model.values import boolean

#: Where an object says what went wrong, in LivePerson's services and in others.
FAILURES = ("error", "errors", "fault", "errorCode", "errorMessage", "internalErrorCode")
#: A configuration's own fields: an envelope whose list is named ``channels`` has none of them.
OWN_FIELDS = ("id", "name", "createdAt", "updatedAt", "lookbackPeriodDay", "lookbackPeriodHour")
#: Lists of an envelope that are not the listing.
OTHER_LISTS = ("errors", "warnings", "messages")
#: Bytes of a body that are searched for secrets; a message quotes 200 characters of what is left.
QUOTABLE = 2**20
UNDOCUMENTED = "The API does not document this status. Check the Connection, or report it to LivePerson's support."
TOO_DEEP = "sent JSON that is nested too deeply. Report it to LivePerson's support."


@dataclass(frozen=True)
class Endpoint:
    """A kind of call, and what its refusals mean.

    :param purpose: what the call is for, as an infinitive without "to".
    :param advice: what to do about a status, in sentences.
    :param auth_statuses: the statuses that blame the credentials.
    :param busy_wait: the least seconds to wait after a 429 (retry policy page).
    :param login: whether it is a login: a refusal is final, and a response may hold a token, so it is not quoted.
    """

    purpose: str
    advice: Mapping[int, str]
    auth_statuses: Collection[int] = ()
    busy_wait: float = 1.0
    login: bool = False


@dataclass(frozen=True)
class Reader:
    """Read a response.

    :param endpoint: the kind of call.
    :param account: whose request it was.
    :param secrets: values that no message may show, even if a server echoes them.
    :param url: what was requested.
    :param response: the response.
    :param now: seconds since 1970, for a Retry-After that is a date.
    """

    endpoint: Endpoint
    account: Account
    secrets: Collection[Secret]
    url: str
    response: Response
    now: float

    def page(self, channel: str | None, offset: int) -> list[Record] | str:
        """Return a page's items; text that quotes the response if that means "nothing" past the end.

        :param channel: the channel that was requested; None for all.
        :param offset: how many configurations were skipped.
        :raises ProtocolError: if it is not a list of configurations; see :meth:`json` for further errors.
        """
        status = self.response.status
        if status == 204:
            return []
        if offset and (status in (400, 404, 416) or (status == 200 and self._is_blank())):
            return f"status {status}, {self._error_body()}"
        found = "sent JSON that is not a list of configurations. Check the Connection's host and app_name."
        try:
            records = self._records(self.json(), channel)
        except RecursionError:  # json() is less deep in Python's stack
            records, found = None, TOO_DEEP
        if records is None:  # raised here, where no variable holds the body: a server may echo a token
            raise errors.ProtocolError(f"{sender_of(self.url, self.account)} {found} Response: {self._shown()}")
        return records

    def _is_blank(self) -> bool:
        return self.response.body.strip() in (b"", b"null", b"{}")

    def json(self) -> Any:
        """Return the value of a JSON body.

        :raises HttpError: if the status is outside 200 to 299; AuthError and Unavailable where they fit.
        :raises NetworkError: if the body ends early or is broken.
        :raises ProtocolError: if it is not JSON, or nested too deeply.
        """
        self._check_status()
        kind: type[errors.NetworkError | errors.ProtocolError] = errors.ProtocolError
        try:
            return decode(self.response.body)
        except RecursionError:
            found = TOO_DEEP
        except ValueError as error:
            found = "sent something other than JSON. Check the Connection's host and the proxy."
            if isinstance(error, UnicodeDecodeError) and error.reason != "unexpected end of data":
                found = "sent text that is not UTF-8. Report it to LivePerson's support."
            elif self.response.body.strip()[:1] in (b"", b"[", b"{"):
                kind, found = errors.NetworkError, "sent JSON that ends early or is malformed. Try again later."
        # Not raised above: there its traceback would hold the body, which may hold a token.
        raise kind(f"{sender_of(self.url, self.account)} {found} Response: {self._shown()}")

    def _check_status(self) -> None:
        status, host = self.response.status, host_of(self.url)
        if 200 <= status < 300:
            return
        kind: type[errors.HttpError] = errors.HttpError
        advice = self.endpoint.advice.get(status, UNDOCUMENTED)
        if 300 <= status < 400:
            target = host
            with suppress(ValueError):  # Location is no URL
                location = urlsplit(self._redacted(self.response.headers.get("location", "")))
                target = printable(location.hostname or host, 80)
            advice = f"It redirects to {target}, and redirects are not followed. Check the Connection's host."
        elif status in self.endpoint.auth_statuses:
            kind = errors.AuthError
        elif status == 429:
            kind = errors.Unavailable
            advice = "Too many requests: lower requests_per_second, or raise poke_interval."
        elif status == 451:  # retry policy page
            advice = "LivePerson blocked the account for legal reasons. Ask LivePerson's support."
        elif status >= 500:
            kind, advice = errors.Unavailable, "The server can't answer now."
        sentences = (
            f"Can't {self.endpoint.purpose} for account {self.account.account_id}: status {status} from {host}.",
            advice,
            f"Response: {self._error_body()}",
        )
        error = kind(" ".join(filter(None, sentences)), status=status, url=self.url)
        if isinstance(error, errors.Unavailable):
            error.retry_after = _seconds_until(self.response.headers.get("retry-after", "").strip(), self.now)
        raise error

    def _records(self, data: Any, channel: str | None) -> list[Record] | None:
        """Return a page's items, each with its own bytes; None if it has no list of them.

        A page is a list of objects, an object that has such a list and no other that holds something (an envelope,
        as in the Outbound Reporting API), or a single configuration or channel, as on LivePerson's page. An object
        that tells of an error is none of these: its list may be empty or short because of the error.
        """
        body = self.response.body
        if data is None and channel is not None:
            return []
        if isinstance(data, dict):
            refused = data.keys() >= {"requestTraceId", "message"}  # as LivePerson's services do
            if refused or any(map(data.get, FAILURES)) or boolean(data.get("success")) is False:
                return None
            if "messageComponents" in data or ("channels" in data and data.keys() & OWN_FIELDS):
                return [Record(body.strip() if body.strip()[:1] == b"{" else encode(data), data)]
            lists = {name: each for name, each in data.items() if _is_list_of_objects(each)}
            listings = [name for name in lists if name not in OTHER_LISTS]
            names = [name for name in listings if lists[name]] or listings[:1]
            if len(names) == 1:
                data, body = data[names[0]], _member(body, names[0], data[names[0]])
        if _is_list_of_objects(data):
            return list(map(Record, split(body), data))
        return None

    def _shown(self) -> str:
        """Return the content type and the first characters, without the secrets that a server may echo."""
        headers, body = self.response.headers, self.response.body
        content_type = printable(self._redacted(headers.get("content-type") or "no content type"), 60)
        if self.endpoint.login:
            return content_type
        # Redacted before it is cut, because a cut may split a secret.
        text = self._redacted(body.strip()[:QUOTABLE].decode(errors="replace"))
        return f"{content_type}, {printable(repr(text.strip()[:200]))}"

    def _error_body(self) -> str:
        """Return what an error body says: message, code, and the id that LivePerson's support asks for."""
        body = None
        with suppress(ValueError, RecursionError):
            body = decode(self.response.body)
        if not isinstance(body, dict):
            return self._shown()
        codes = (body.get(name) for name in ("code", "errorCode", "internalErrorCode"))
        code = next((each for each in codes if isinstance(each, (int, str))), None)
        named = (("code", code), ("requestTraceId", body.get("requestTraceId")))
        details = [f"{name} {value}" for name, value in named if isinstance(value, (int, str))]
        message = body.get("message", body.get("errorMessage"))
        parts = [message] if isinstance(message, str) and not self.endpoint.login else []
        parts += [f"({', '.join(details)})"] if details else []
        return printable(self._redacted(" ".join(parts)), 400) if parts else self._shown()

    def _redacted(self, text: str) -> str:
        # The longest first, because another may be a part of it.
        for secret in sorted(self.secrets, key=lambda each: -len(each.reveal())):
            text = re.sub("".join(map(_spellings, secret.reveal())), "***", text, flags=re.IGNORECASE)
        return text


def _spellings(char: str) -> str:
    """Return a pattern of a secret's character: as it is, or as URLs, HTML and JSON escape it, also twice."""
    if char.isalnum():
        return char
    code = f"{ord(char):x}"
    forms = [re.escape(char), f"%(?:25){{0,2}}{code}", f"u00{code}", f"&#0{{0,5}}(?:{ord(char)}|x0{{0,5}}{code});"]
    forms.append(re.escape(html.escape(char)))
    return rf"\\{{0,4}}(?:{'|'.join(forms)})".replace("&", "&(?:amp;){0,2}")


def _member(body: bytes, name: str, value: Any) -> bytes:
    """Return the bytes of an object's member; encoded again if only Python's lenient parser reads the body."""
    try:
        return bytes(msgspec.json.decode(body, type=dict[str, msgspec.Raw])[name])
    except (ValueError, msgspec.MsgspecError):
        return encode(value)


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _seconds_until(retry_after: str, now: float) -> float:
    """Return the seconds that a Retry-After asks for; 0 where it can't be read."""
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", retry_after):  # a decimal point is not allowed, but clear
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
        return max((date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return 0.0
