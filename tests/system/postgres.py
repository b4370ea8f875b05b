"""PostgreSQL on loopback: Debian's program, in a folder of our own."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tests.system.processes import Processes, free_port


def start_postgres(services: Processes) -> str:
    """Start PostgreSQL on a database of its own; return its URL, password included."""
    port, password = free_port(), secrets.token_urlsafe()
    folder, word = services.home / "postgres", services.home / "password"
    word.write_text(password)
    if not os.geteuid():
        shutil.chown(services.home, "postgres")
        shutil.chown(word, "postgres")
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "fsync": "off",  # the database is thrown away
    }
    options = [f"--{name}={value}" for name, value in settings.items()]
    initdb = ["--username=airflow", f"--pwfile={word}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"]
    subprocess.run(
        [*_as_postgres(), program("initdb"), "--pgdata", folder, *initdb],
        cwd=services.home,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    word.unlink()
    services.spawn("postgres", [*_as_postgres(), program("postgres"), "-D", str(folder), *options], os.environ)
    ready = [program("pg_isready"), "--host=127.0.0.1", f"--port={port}", "--quiet"]
    services.poll("PostgreSQL", 30, lambda: not subprocess.run(ready).returncode)
    return f"postgresql://airflow:{password}@127.0.0.1:{port}/postgres"


def dump(url: str) -> bytes:
    """Return everything that a PostgreSQL database holds, as SQL; ``bytea`` is written in hexadecimal."""
    password = urlsplit(url).password or ""
    done = subprocess.run(
        [program("pg_dump"), url.replace(f":{password}@", "@")],
        env=os.environ | {"PGPASSWORD": password},  # a command line can be seen by all
        check=True,
        stdout=subprocess.PIPE,
    )
    return done.stdout


def program(name: str) -> str:
    """Return a program's path, "" if it is missing; Debian keeps PostgreSQL's out of ``PATH``."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(found[-1]) if found else shutil.which(name) or ""


def _as_postgres() -> tuple[str, ...]:
    """Return what goes before a command that refuses to run as root."""
    return () if os.geteuid() else ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")
