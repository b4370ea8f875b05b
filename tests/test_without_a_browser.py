"""Browser tests on a machine without one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("place", [{"CHROMIUM": "/nowhere/chromium"}, {"CHROMIUM": "", "PATH": "/nowhere"}])
def test_without_a_browser_its_tests_are_skipped_with_a_reason(place: dict[str, str]) -> None:
    command = [sys.executable, "-m", "pytest", "-rs", "--color=no", "tests/browser"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **place}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "there is no chromium: install the packages that .ci/run names" in done.stdout
    assert not {"passed", "failed", "error"} & set(done.stdout.splitlines()[-1].split())
