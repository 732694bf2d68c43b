"""The ccdash daemon. Importing this package costs nothing; its parts are imported where they are used."""

__version__ = "0.1.0"
