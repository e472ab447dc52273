"""How fast totes is, beside what PostgreSQL's own programs and simple ways take, in one run: `make bench`."""
