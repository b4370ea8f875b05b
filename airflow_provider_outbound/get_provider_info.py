"""The provider's metadata. It imports only the standard library, because every Airflow process calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airflow_provider_outbound import __version__


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata, in the form of Airflow's ``provider.yaml``."""
    info: dict[str, Any] = json.loads(Path(__file__).with_name("provider.json").read_text())
    return {**info, "versions": [__version__]}
