"""Airflow provider for LivePerson's Outbound Configuration API."""

__version__ = "0.1.0"
