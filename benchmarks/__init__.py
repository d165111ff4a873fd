"""Benchmarks: one module for each claim; ``python -m benchmarks.run --list`` names them."""
