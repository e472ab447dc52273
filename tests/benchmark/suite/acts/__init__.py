"""What is measured: each act runs in a process of its own, is given where, and does the whole of its work."""
