"""Where an environment is deployed: whether a word can be an account, or a region."""

import re


def why_no_account(word: str) -> str:
    """Why a word is not the number of an AWS account; empty: it may be."""
    return "" if re.fullmatch(r"\d{12}", word) else f"is {word!r}, and an account is a text of 12 digits"


def why_no_region(word: str) -> str:
    """Why a word is not the name of a region; empty: it may be."""
    if re.fullmatch(r"[a-z]+(-[a-z]+)+-\d+", word):
        return ""
    return f"is {word!r}, and a region has a name such as eu-west-2"
