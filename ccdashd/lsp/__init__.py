"""What editors see of sessions and plans, in the Language Server Protocol. The wire is that of `ccdashd.rpc`."""
