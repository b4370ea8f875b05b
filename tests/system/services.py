"""PostgreSQL and Redis for ``make cluster``: Debian's programs, installed if they are missing."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.system.postgres import program
from tests.system.processes import Processes, free_port

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
    missing = [package for package, name in PACKAGES.items() if not program(name)]
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


def start_redis(services: Processes) -> str:
    """Start Redis; return its URL, password included."""
    port, password = free_port(), secrets.token_urlsafe()
    settings = services.home / "redis.conf"
    settings.touch(0o600)
    settings.write_text(REDIS.format(port=port, password=password, folder=services.home))
    services.spawn("redis", [program("redis-server"), str(settings)], os.environ)
    url = f"redis://:{password}@127.0.0.1:{port}/0"

    def answers() -> bool:
        with suppress(RedisConnectionError), Redis.from_url(url) as client:
            return bool(client.ping())
        return False

    services.poll("Redis", 30, answers)
    return url
