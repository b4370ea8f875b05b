"""``make airflow``: Airflow's UI with the sandbox, its connection and the sample DAGs, until Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from pathlib import Path

from airflow_provider_outbound.links import PAGE
from airflow_provider_outbound.sandbox import Sandbox
from tests.system.local_airflow import LocalAirflow

ROOT = Path(__file__).parent.parent.parent
HOME = ROOT / ".airflow"


def main(port: int) -> None:
    """Serve until Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Sandbox(appear={"spring_sale": 300}) as sandbox:
        settings = {"OUTBOUND_OUTPUT": str(HOME / "outbound"), "OUTBOUND_POKE_INTERVAL": "10"}
        connections = {"liveperson_outbound_default": sandbox.connection}
        try:
            airflow = LocalAirflow(HOME, ROOT / "dags", settings, port=port, connections=connections)
        except OSError as error:
            raise SystemExit(
                f"port {port} can't be used ({error.strerror}): make airflow PORT={port + 1}"
            ) from None
        print("Airflow starts ...", flush=True)
        with airflow:
            print(f"Airflow:   {airflow.url} (no login)")
            print(f"Templates: {airflow.url}/{PAGE}")
            print(f"Sandbox:   {sandbox.url}/docs")
            print("Trigger outbound_export or outbound_campaign_gate; spring_sale appears after 5 minutes.")
            print("Ctrl-C ends both.", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]))
