"""Tags of an account's own: what a company's rules want on every resource."""

import re
from collections.abc import Mapping

_MOST = 40
"""A resource may have 50, and some have several of their own beside those of their stack."""

_KEY = r"[\w .:/=+@-]{1,128}"
_VALUE = r"[\w .:/=+@-]{1,256}"
_TAKEN = {"project", "environment", "name"}
"""By these two an environment's resources are found; the third is some resources' own. In any capitals: to IAM two keys
that differ in nothing else are the same one, and it refuses both on one role:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html"""


def why_no_tags(tags: Mapping[str, str]) -> str:
    """Why AWS would not take these tags beside totes' own; empty: it would.

    https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html, and CloudFormation wants a
    value: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Tag.html
    """
    if len(tags) > _MOST:
        return f"are {len(tags)}, and {_MOST} at most can be added"
    for key, value in tags.items():
        if not re.fullmatch(_KEY, key) or key.lower().startswith(("aws:", "totes:")):
            return (
                f"has the key {key!r}, and a key has 1 to 128 letters, digits, blanks and _.:/=+-@, and does not begin "
                "with aws: or totes:"
            )
        if key.lower() in _TAKEN:
            return f"has the key {key!r}, and totes' resources have project, environment and Name already"
        if not re.fullmatch(_VALUE, value):
            return f"has {value!r} for {key}, and a value has 1 to 256 letters, digits, blanks and _.:/=+-@"
    if len({key.lower() for key in tags}) < len(tags):
        return "has two keys that differ in nothing but capitals, which IAM takes for one"
    return ""
