"""The benchmarks behind tests/bench/run."""
