"""What the server of a warehouse of totes' own is told, by the names of PostgreSQL's settings and of RDS's."""

SERVER_SETTINGS = {
    # TLS or nothing.
    "rds.force_ssl": "1",
    # The log goes to CloudWatch, where more people read it, and for longer: it says what was refused and why, in a
    # sentence that may quote a value, and does not show the row or the statement
    # (https://www.postgresql.org/docs/current/runtime-config-logging.html).
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
