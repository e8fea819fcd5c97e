"""The checks' own test: what they must pay in full, and what they must never pay."""
