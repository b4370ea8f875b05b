"""Benchmarks: ``make bench`` runs them all, checks every row, and writes the tables of docs/performance.rst."""
