"""Is what ccdash keeps what it should be? Checks, repairs, backups, and space that is given back."""
