"""The reference of week 4, trained for real."""
