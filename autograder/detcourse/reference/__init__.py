"""The references of weeks 4 and 5, trained for real."""
