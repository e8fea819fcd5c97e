"""What students of the course install: checks, pictures and data for the notebooks."""
