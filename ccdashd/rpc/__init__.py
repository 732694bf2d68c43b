"""The wire's server side: listener, connection, dispatch, and one module of handlers per namespace."""
