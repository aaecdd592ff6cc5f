"""Measuring a model: n-gram baselines, lm-eval generation, sandboxed scoring."""
