"""`python -m detgrader` is `detgrader`; torchrun starts it so."""

from detgrader.cli import main

main()
