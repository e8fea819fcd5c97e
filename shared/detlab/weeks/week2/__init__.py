"""Week 2: one digit, localised."""
