"""Sets of photographs and scenes: fetch them, check them, read them.

Answers run without this package: reading annotations is what task 4.1 asks for.
"""
