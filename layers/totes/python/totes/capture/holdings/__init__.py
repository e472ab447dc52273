"""Holdings: what the lake holds of a table, in sorted runs that are read, compared and merged in the order of keys."""
