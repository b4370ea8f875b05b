"""PostgreSQL and Redis for ``make cluster``: Debian's programs, in a folder of our own, on loopback."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.system.processes import Processes

PACKAGES = {"postgresql": "postgres", "redis-server": "redis-server"}  # each with its program
START_NOTHING = Path("/usr/sbin/policy-rc.d")  # asked by Debian's packages before they start a service
REDIS = """
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
save ""
"""


def install() -> None:
    """Install what is missing with apt-get; who is not root is told the command."""
    missing = [package for package, program in PACKAGES.items() if not _program(program)]
    if not missing:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if os.geteuid() or not shutil.which("apt-get"):
        raise SystemExit(f"cluster: {' and '.join(missing)} missing; install with: sudo {' '.join(command)}")
    print(f"Installing {' and '.join(missing)} with apt-get ...", flush=True)
    alone = not START_NOTHING.exists()
    if alone:
        START_NOTHING.write_text("#!/bin/sh\nexit 101\n")
        START_NOTHING.chmod(0o755)
    try:
        unasked = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for each in (["apt-get", "update"], command):
            subprocess.run(each, env=unasked, stdout=subprocess.DEVNULL, check=True)
    finally:
        if alone:
            START_NOTHING.unlink()


def start_postgres(services: Processes) -> str:
    """Start PostgreSQL on a database of its own; return its URL, password included."""
    port, password = _free_port(), secrets.token_urlsafe()
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
        [*_as_postgres(), _program("initdb"), "--pgdata", folder, *initdb],
        cwd=services.home,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    word.unlink()
    services.spawn("postgres", [*_as_postgres(), _program("postgres"), "-D", str(folder), *options], os.environ)
    ready = [_program("pg_isready"), "--host=127.0.0.1", f"--port={port}", "--quiet"]
    services.poll("PostgreSQL", 30, lambda: not subprocess.run(ready).returncode)
    return f"postgresql://airflow:{password}@127.0.0.1:{port}/postgres"


def start_redis(services: Processes) -> str:
    """Start Redis; return its URL, password included."""
    port, password = _free_port(), secrets.token_urlsafe()
    settings = services.home / "redis.conf"
    settings.touch(0o600)
    settings.write_text(REDIS.format(port=port, password=password, folder=services.home))
    services.spawn("redis", [_program("redis-server"), str(settings)], os.environ)
    url = f"redis://:{password}@127.0.0.1:{port}/0"

    def answers() -> bool:
        with suppress(RedisConnectionError), Redis.from_url(url) as client:
            return bool(client.ping())
        return False

    services.poll("Redis", 30, answers)
    return url


def dump(url: str) -> bytes:
    """Return everything that a PostgreSQL database holds, as SQL; ``bytea`` is written in hexadecimal."""
    password = urlsplit(url).password or ""
    done = subprocess.run(
        [_program("pg_dump"), url.replace(f":{password}@", "@")],
        env=os.environ | {"PGPASSWORD": password},  # a command line can be seen by all
        check=True,
        stdout=subprocess.PIPE,
    )
    return done.stdout


def _program(name: str) -> str:
    """Return a program's path, "" if it is missing; Debian keeps PostgreSQL's out of ``PATH``."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(found[-1]) if found else shutil.which(name) or ""


def _as_postgres() -> tuple[str, ...]:
    """Return what goes before a command that refuses to run as root."""
    return () if os.geteuid() else ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
