"""The commands, one module for each or for a few that belong together; ``ccdash.parser.COMMANDS`` is the list."""
