"""What staff of the course install: the release builder, the sandbox and the grader."""
