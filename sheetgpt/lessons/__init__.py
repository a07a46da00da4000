"""Lessons: small tabs of live formulas on the ideas that come before the model."""
