"""The source itself: one state of it, and what is asked of it before its rows are believed."""
