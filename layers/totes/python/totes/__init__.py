"""One library, shared by the three functions, the command line and the tests."""
