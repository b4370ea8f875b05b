"""An auth manager whose user ``one`` may read one Connection. Airflow's own simple one grants all or none."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

PERMITTED = "permitted"


class OneConnection(SimpleAuthManager):
    """Airflow's simple auth manager, with one user more."""

    def is_authorized_connection(self, *, method: Any, user: Any, details: Any = None) -> bool:
        permitted = user.username != "one" or (details is not None and details.conn_id == PERMITTED)
        return permitted and super().is_authorized_connection(method=method, user=user, details=details)
