"""The Jinja environments of pages: everything is escaped, and a missing value is an error."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def environment(package: str = __package__, folder: str = "page") -> Environment:
    """Return the environment of the templates in a folder; those of the catalogue, unless told otherwise.

    :param package: the package that has the folder.
    :param folder: the folder.
    """
    return Environment(
        loader=PackageLoader(package, folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
