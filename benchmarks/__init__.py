"""Measurements. Not tests: nothing here passes or fails."""
