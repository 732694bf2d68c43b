"""Search: queries over the index of texts, and deep search through the bytes of logs."""
