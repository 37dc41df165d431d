"""Reusable Hypothesis strategies, one module for each room."""
