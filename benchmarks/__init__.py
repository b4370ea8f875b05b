"""Benchmarks: ``make bench`` runs them all, checks every row, and writes the chart and the table of
docs/concepts/performance.rst."""
