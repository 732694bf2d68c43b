"""The wire: frames, types and the method table. Imports msgspec only, so that generators and clients may read it."""
