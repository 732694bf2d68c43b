"""What the user decided, kept apart from the cache: files of ours that cannot be rebuilt from anything else."""
