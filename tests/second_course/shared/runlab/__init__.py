"""What students of the course about runs install."""
