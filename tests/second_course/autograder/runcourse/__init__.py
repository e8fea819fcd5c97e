"""The staff's library of the course about runs."""
