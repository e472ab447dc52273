"""Caches what moto's interpreter of state machines would otherwise read at every step.

Every execution parses its definition, with a parser that is written in Python, and every state its paths; a client of
the service that it calls is made for every task. Together that takes more of a processor than the rest of a run.
"""

import functools
from typing import Any

from moto.settings import moto_server_port
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for

from local_cloud.endpoint.patches import patch

_DEFINITIONS, _PATHS = 64, 1024
"""How many are remembered; there is one of each state machine and version, and some fifty paths in it."""

_moto_parse = AmazonStateLanguageParser.parse

_PARSE_PATH = {module: functools.lru_cache(_PATHS)(module.parse) for module in (json_path, result_path)}


def install() -> None:
    """Patch moto's interpreter."""
    patch(
        AmazonStateLanguageParser,
        "parse",
        staticmethod(_parse),
        why="moto parses a definition at every execution, which takes longer than to run it",
    )
    for module, parse in _PARSE_PATH.items():
        patch(module, "parse", parse, why="moto parses a path at every step")
    patch(lambda_eval_utils, "boto_client_for", client_for, why="moto makes a client for every task")


def client_for(region: str, service: str, state_credentials: Any = None) -> Any:  # noqa: ARG001 - moto's signature
    """A client of one of the endpoint's own services; threads may share it."""
    return _client(region, service, moto_server_port())


@functools.lru_cache
def _client(region: str, service: str, port: str) -> Any:  # noqa: ARG001 - of another endpoint it is another one
    return boto_client_for(region=region, service=service)


def _parse(definition: str) -> tuple[Any, Any]:
    """An execution's program, which is its own, and the tree that it is made from, which is not."""
    tree = _tree(definition)
    return Preprocessor().visit(tree), tree


@functools.lru_cache(_DEFINITIONS)
def _tree(definition: str) -> Any:
    return _moto_parse(definition)[1]
