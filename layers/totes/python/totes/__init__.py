"""The library that every function, the command line and the tests share."""
