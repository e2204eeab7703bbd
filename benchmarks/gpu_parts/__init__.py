"""The parts of benchmarks/gpu.py. Each checks what it times, and gives rows of a table."""
