"""The command line where Airflow has no ``airflow outbound``: ``python -m airflow_provider_outbound --help``."""

from airflow_provider_outbound.cli import main

if __name__ == "__main__":
    main()
