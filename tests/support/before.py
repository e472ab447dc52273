"""The templates that main had before stacks handed their values over: each imported what the one before exported.

They are made of today's, which export the same values still, for whom an earlier totes deployed.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def assembly_of_before(assembly: Path, folder: Path) -> Path:
    """Copy an assembly into a folder, in which stacks import again what others export."""
    shutil.copytree(assembly, folder, symlinks=True)
    files = sorted(folder.glob("*.template.json"))
    templates = {file: json.loads(file.read_text(encoding="utf-8")) for file in files}
    exported = _exports(templates.values())
    for file, template in templates.items():
        before = _imported(template, exported, _taken(template, templates.values()))
        before["Resources"] = {
            name: each for name, each in before["Resources"].items() if each["Type"] != "AWS::SSM::Parameter"
        }
        before["Parameters"] = {
            name: each for name, each in before["Parameters"].items() if not name.startswith("SsmParameterValue")
        }
        _replace(folder, file, json.dumps(before))
    return folder


def _exports(templates: Any) -> dict[str, str]:
    """The names of exports, by what they are of; a function's also by its own name."""
    found = {}
    for template in templates:
        for output in template.get("Outputs", {}).values():
            if "Export" in output:
                found[json.dumps(output["Value"])] = output["Export"]["Name"]
                of = template["Resources"].get(output["Value"].get("Ref"), {}).get("Properties", {})
                if "FunctionName" in of:
                    found[json.dumps(of["FunctionName"])] = output["Export"]["Name"]
    return found


def _taken(template: Mapping[str, Any], templates: Any) -> dict[str, str]:
    """What a template takes, as its giver says it, by the parameter's logical id."""
    values = {
        each["Properties"]["Name"]: json.dumps(each["Properties"]["Value"])
        for other in templates
        for each in other["Resources"].values()
        if each["Type"] == "AWS::SSM::Parameter"
    }
    parameters = template.get("Parameters", {})
    return {name: values[each["Default"]] for name, each in parameters.items() if each["Default"] in values}


def _imported(part: Any, exported: Mapping[str, str], taken: Mapping[str, str]) -> Any:
    if isinstance(part, dict):
        if part.get("Ref") in taken:
            return {"Fn::ImportValue": exported[taken[part["Ref"]]]}
        if part.get("Name") == "FunctionName" and json.dumps(part.get("Value")) in exported:
            return {**part, "Value": {"Fn::ImportValue": exported[json.dumps(part["Value"])]}}
        return {word: _imported(each, exported, taken) for word, each in part.items()}
    if isinstance(part, list):
        return [_imported(each, exported, taken) for each in part]
    return part


def _replace(folder: Path, file: Path, text: str) -> None:
    """Write a template, which the CLI uploads under its digest."""
    assets = file.with_name(file.name.replace(".template.json", ".assets.json"))
    [old] = [
        name
        for name, each in json.loads(assets.read_text(encoding="utf-8"))["files"].items()
        if each["source"]["path"] == file.name
    ]
    new = hashlib.sha256(text.encode()).hexdigest()
    file.write_text(text, encoding="utf-8")
    for other in (assets, folder / "manifest.json"):
        other.write_text(other.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
