"""Measurements, not tests: ``python -m benchmarks`` prints figures, nothing fails by time.

The machine may be noisy, so every figure is the median of several rounds and stands beside its
ratio to a SHA-256 of 64 bytes measured in the same run; compare ratios across machines.
"""
