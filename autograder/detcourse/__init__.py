"""This course's staff library: right answers, random cases, hidden data, reference trainings."""
