"""`python -m callcenter` is the command line."""

from callcenter.cli import app

if __name__ == "__main__":
    app()
