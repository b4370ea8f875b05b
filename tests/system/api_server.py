"""A real API server of Airflow on loopback, with users that log in; nothing else of Airflow runs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from tests.system.local_airflow import AIRFLOW
from tests.system.processes import ProcessError, Processes, free_port

ROOT = Path(__file__).parent.parent.parent
#: Users of the simple auth manager, and their roles. The password of each is its name.
USERS = {"admin": "admin", "op": "op", "one": "op", "user": "user", "viewer": "viewer"}


class ApiServer(Processes):
    """An API server with its own AIRFLOW_HOME and SQLite.

    :param home: AIRFLOW_HOME.
    :param prefix: the path of ``[api] base_url``, such as ``/airflow``.
    :param env: more variables.
    """

    def __init__(self, home: Path, prefix: str = "", env: Mapping[str, str] | None = None) -> None:
        super().__init__(home)
        self._tokens: dict[str, str] = {}
        port = free_port()
        self.url = f"http://127.0.0.1:{port}{prefix}"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")} | {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__CORE__AUTH_MANAGER": "tests.system.one_connection.OneConnection",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(":".join(each) for each in USERS.items()),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "passwords.json"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home}/airflow.db?timeout=60",
            "NO_PROXY": "127.0.0.1,localhost",
            "PYTHONPATH": str(ROOT),
            **(env or {}),
        }

    def __enter__(self) -> ApiServer:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.home / "passwords.json").write_text(json.dumps(dict(zip(USERS, USERS, strict=True))))
        migrated = subprocess.run([*AIRFLOW, "db", "migrate"], env=self.env, text=True, capture_output=True)
        if migrated.returncode:
            raise ProcessError(f"airflow db migrate: {migrated.stdout}{migrated.stderr}")
        self.spawn("api-server", [*AIRFLOW, "api-server"], self.env)
        try:
            self.poll("the API server", 120, self._answers)
        except BaseException:  # also Ctrl-C
            self.stop()
            raise
        return self

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/api/v2/version", timeout=5).ok
        except requests.RequestException:
            return False

    def session(self, user: str | None = None) -> requests.Session:
        """Return a session that is logged in, as a browser is: by cookie.

        :param user: one of ``USERS``; None for nobody.
        """
        session = requests.Session()
        if user:
            session.cookies.set("_token", self.token(user))
        return session

    def token(self, user: str) -> str:
        """Log in for the first time, and return the token."""
        if user in self._tokens:
            return self._tokens[user]
        login = {"username": user, "password": user}
        answer = requests.post(f"{self.url}/auth/token", json=login, timeout=30)
        assert answer.status_code == 201, answer.text
        self._tokens[user] = str(answer.json()["access_token"])
        return self._tokens[user]

    def add(self, conn_id: str, connection: dict[str, Any]) -> None:
        """Put a Connection into the database."""
        body = {"connection_id": conn_id, **connection, "extra": json.dumps(connection.get("extra", {}))}
        headers = {"Authorization": f"Bearer {self.token('admin')}"}
        answer = requests.post(f"{self.url}/api/v2/connections", json=body, headers=headers, timeout=30)
        assert answer.status_code == 201, answer.text
