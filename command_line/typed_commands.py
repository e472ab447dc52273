"""The commands that a sentence names, completed by how a person calls the deployment that it is about.

A sentence may come from a function in AWS or from a module below the command line, and neither knows what the person
has typed. So sentences name commands without options, and the options are added where a sentence is shown.
"""

import re
import shlex
from collections.abc import Sequence

OF_A_DEPLOYMENT = frozenset(
    {
        *("doctor", "init", "rebuild", "replay", "run", "status", "tunnel", "verify"),
        *("alarms test", "dashboard", "dashboard address", "dashboard invite", "dashboard remove", "dashboard users"),
        *("quarantine list", "quarantine retry", "quarantine show"),
        *("secrets delete", "secrets list", "secrets rotate", "secrets set", "secrets test"),
    }
)
"""The commands whose --env, --local and --state say which deployment is meant."""

OF_A_LOCAL_CLOUD = frozenset(
    {"psql", "simulate", *(f"local {word}" for word in ("down", "env", "logs", "mail", "up"))},
)
"""The commands whose --state says which local cloud is meant."""

_NAMING = ("--env", "--local", "--state", "-c env=")
_BY_LENGTH = sorted(OF_A_DEPLOYMENT | OF_A_LOCAL_CLOUD, key=len, reverse=True)
_COMMAND = re.compile(rf"(?<![\w./-])(?:totes (?P<totes>{'|'.join(_BY_LENGTH)})|cdk (?:deploy --all|diff))(?![\w-])")
_END_OF_A_COMMAND = re.compile(r"[;,()\n]|\btotes |\bcdk ")


def named_by(words: Sequence[str]) -> str:
    """How a command line names its deployment: `--env NAME`, `--state FOLDER` or `--local`; "" where it does not.

    Args:
        words: what was typed after the program's name.
    """
    options: dict[str, str] = {}
    typed = iter(words)
    for word in typed:
        if word == "--":  # what comes now is another program's
            break
        option, is_one_word, value = word.partition("=")
        if option in {"--env", "--state"}:
            options[option] = value if is_one_word else next(typed, "")
        elif option == "--local":
            options[option] = ""
    for option in ("--state", "--local", "--env"):  # `local up` has --env too, beside the folder that names the cloud
        if option in options:
            return f"{option} {shlex.quote(options[option])}" if options[option] else option
    return ""


def completed(sentence: str, options: str) -> str:
    """Add the options to the commands in a sentence, except to a command that names its deployment itself.

    Args:
        sentence: what is to be shown to a person.
        options: `--env NAME`, `--state FOLDER` or `--local`; "": the commands stay bare.
    """

    def complete(found: re.Match[str]) -> str:
        rest = _END_OF_A_COMMAND.split(sentence[found.end() :], maxsplit=1)[0]
        added = _options_of(found["totes"], options)
        if not added or any(word in rest for word in _NAMING):
            return found[0]
        return f"{found[0]} {added}"

    return _COMMAND.sub(complete, sentence)


def _options_of(command: str | None, options: str) -> str:
    """The options in the words of one of totes' commands, or, where that is None, of the cdk CLI; "": it has none."""
    if command in OF_A_DEPLOYMENT:
        return options
    kind, _, name = options.partition(" ")
    if command is not None:
        return options if kind == "--state" else ""
    return f"-c env={name}" if kind == "--env" else ""
