"""Imported first by whatever runs tests, or is forked by them.

Python looks for garbage after every seven hundred new objects. What moto, botocore and the CDK know of AWS is hundreds
of thousands, all of which stay, and to look at them again and again took the local cloud's tests a sixth of their time.
"""

import gc

gc.set_threshold(50_000, 20, 20)
