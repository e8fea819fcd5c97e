"""From a submission to its results: checks, attempts, scores, messages, hints."""
