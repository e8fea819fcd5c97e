"""The checking engine: what a check is, whoever runs it. It knows no course and no week."""
