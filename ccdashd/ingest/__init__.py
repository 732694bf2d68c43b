"""How files become rows: scan and watch find what changed, the pipeline reads it and writes it."""
