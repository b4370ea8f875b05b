"""Configurations as typed tables and Parquet files."""
