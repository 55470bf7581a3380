"""Measurements of a whole system on this machine, made by hand; figures that matter are kept in docs/benchmarks.md."""
