"""`python -m detlab`: the students' command line."""

from detlab.cli import app

if __name__ == "__main__":
    app()
