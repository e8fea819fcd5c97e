"""The part of the grader that is visible inside the sandbox.

Nothing here is secret: no check, no expected value, no solution. Together with
`detlab` and the libraries it is all that a student's code can see.
"""
