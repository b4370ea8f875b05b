"""Collect the messages of the package from its source, each as it is printed, with … for what differs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from airflow_provider_outbound import errors

PACKAGE = Path(errors.__file__).parent

#: Modules in which only errors and the log speak to users. The sandbox is a server, the catalogue is a page about
#: templates, and docs/reference has the commands' help and what the checks find.
ELSEWHERE = (
    "sandbox/",
    "catalogue/",
    "cli.py",
    "messages.py",
    "model/checks.py",
    "model/markdown.py",
    "model/problems.py",
    "page.py",
    "plugin.py",
)
#: Arguments that say what something is, not what happened.
LABELS = {"help", "description", "epilog", "prog", "purpose", "metavar"}
#: Calls whose text is a message however short it is.
TELLERS = {name for name, value in vars(errors).items() if isinstance(value, type)} | {
    "AirflowFailException",
    "ArgumentTypeError",
    "PlainTextResponse",
    "end",
    "say",
    *(f"{prefix}{level}" for prefix in ("", "a") for level in ("info", "warning", "error", "exception")),
}


def messages() -> dict[str, str]:
    """Return the messages, each with the place in the source that has it."""
    found: dict[str, str] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        for line, text in Texts(ast.parse(path.read_text())).found(only_told=name.startswith(ELSEWHERE)):
            found.setdefault(text, f"{name}:{line}")
    return found


class Texts:
    """The texts of a module that users read.

    :param module: its source.
    """

    def __init__(self, module: ast.Module) -> None:
        self._module = module
        self._parents = {child: node for node in ast.walk(module) for child in ast.iter_child_nodes(node)}
        inner = {ast.unparse(node.value) for node in ast.walk(module) if isinstance(node, ast.FormattedValue)}
        #: Constants of the module that f-strings contain.
        self._named = {
            name: value
            for node in module.body
            for name, value in _assigned(node)
            if name in inner and isinstance(value, (ast.Constant, ast.JoinedStr))
        }

    def found(self, only_told: bool) -> Iterator[tuple[int, str]]:
        """Yield line and text of each message.

        :param only_told: leave out texts that no call tells.
        """
        for node in ast.walk(self._module):
            if isinstance(node, (ast.Constant, ast.JoinedStr)) and self._is_whole(node):
                text, told = as_printed(self._text(node)), self._is_told(node)
                words = sum(bool(re.search("[a-z]", word)) for word in text.split())
                if words >= (2 if told else 3) and (told or not only_told):
                    yield node.lineno, text

    def _text(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.JoinedStr(values=parts):
                return "".join(map(self._text, parts))
            case ast.FormattedValue(value=ast.Name(id=name)) if name in self._named:
                return self._text(self._named[name])
            case ast.FormattedValue():
                return "…"
        return ""

    def _is_whole(self, node: ast.expr) -> bool:
        """Tell whether a text is neither a docstring, a label, a part of an f-string nor what is compared."""
        if node in self._named.values():
            return False
        parent = self._parents[node]
        if isinstance(parent, (ast.Expr, ast.JoinedStr, ast.Compare, ast.FormattedValue, ast.Subscript)):
            return False
        return not (isinstance(parent, ast.keyword) and parent.arg in LABELS)

    def _is_told(self, node: ast.expr) -> bool:
        match self._parents[node]:
            case ast.Call(func=ast.Name(id="Message"), args=[_, _, title, *_]):
                return node is title
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                return name in TELLERS
        return False


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value


def as_printed(text: str) -> str:
    """Return a text as one line, without markup, and with … for what is filled in."""
    text = re.sub(r"</?code>", "", text)
    text = re.sub(r"%(\.\d)?[dsgfr]|\{\}", "…", text)
    return " ".join(text.split())
