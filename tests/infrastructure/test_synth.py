import json
import re
from pathlib import Path

import pytest

from app import check_place, chosen_environment, make_stacks
from stacks.config import Environment
from tests.support.templates import ADDRESS, Synthesised, new_app, run_app


def test_two_synths_give_identical_output_without_credentials(
    prod: Synthesised, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    temporary = tmp_path_factory.mktemp("temporary")
    again = run_app(tmp_path, temporary, env="prod", alarm_email=ADDRESS)
    assert again.returncode == 0, again.stderr
    names = sorted(path.name for path in prod.folder.glob("totes-*.json") if not path.name.endswith("metadata.json"))
    assert names == [
        f"totes-prod-{part}.{kind}.json"
        for part in ("dashboard", "data", "network", "pipeline", "watch")
        for kind in ("assets", "template")
    ]
    for name in names:
        assert (tmp_path / name).read_bytes() == (prod.folder / name).read_bytes()
    assert not any(temporary.iterdir()), "a synth leaves nothing in the temporary folder"
    assert {path.name for path in tmp_path.glob("asset.*")} == {path.name for path in prod.folder.glob("asset.*")}


def test_an_unknown_environment_ends_the_synth_with_the_known_ones(tmp_path: Path) -> None:
    failed = run_app(tmp_path, env="nosuch")
    assert failed.returncode != 0
    assert f"there is no environment 'nosuch'; name one of {', '.join(Environment.names())}" in failed.stderr


def test_two_of_a_kind_share_no_name(dev: Synthesised, tmp_path: Path) -> None:
    app = new_app(tmp_path, env="dev", suffix="alice")
    make_stacks(app, chosen_environment(app.node))
    app.synth()
    templates = {file.name: file.read_text() for file in tmp_path.glob("*.template.json")}
    assert set(templates) == {f"totes-dev-alice-{part}.template.json" for part in dev.templates}
    names = re.findall(r'"(?:\w*Name|Name)": "([^"]*totes[^"]*)"', "".join(templates.values()))
    assert names
    assert [name for name in names if "dev-alice" not in name] == []


def test_production_is_not_synthesised_without_somebody_to_tell(tmp_path: Path) -> None:
    failed = run_app(tmp_path, env="prod")
    assert failed.returncode != 0
    assert "prod has no alarm_email: nobody would be told when an alarm goes off" in failed.stderr
    assert "say -c alarm_email=ADDRESS" in failed.stderr


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "eusc-de-east-1"])
def test_a_region_whose_certificates_nobody_has_ends_the_synth(tmp_path: Path, region: str) -> None:
    failed = run_app(tmp_path, region=region, env="dev")
    assert failed.returncode != 0
    assert f"ValueError: region {region}: totes has no certificates of RDS's authority there" in failed.stderr
    assert "deploy to another region, or set warehouse to GivenDatabase(...)" in failed.stderr


def test_a_warehouse_of_somebody_elses_may_be_where_it_is() -> None:
    """Its authority's certificates may stand in its secret."""
    check_place(Environment.named("local"), "us-gov-west-1")
    with pytest.raises(ValueError, match="us-gov-west-1"):
        check_place(Environment.named("dev"), "us-gov-west-1")


def test_an_address_that_is_none_ends_the_synth(tmp_path: Path) -> None:
    failed = run_app(tmp_path, env="dev", alarm_email="data")
    assert failed.returncode != 0
    assert "'data' is no e-mail address" in failed.stderr


def test_a_template_looks_nothing_up_and_names_no_account(synthesised: Synthesised) -> None:
    manifest = json.loads((synthesised.folder / "manifest.json").read_text())
    assert "missing" not in manifest
    stacks = [each for each in manifest["artifacts"].values() if each["type"] == "aws:cloudformation:stack"]
    assert {stack["environment"] for stack in stacks} == {"aws://unknown-account/unknown-region"}


def test_code_goes_to_the_asset_bucket_of_this_apps_own_qualifier(synthesised: Synthesised) -> None:
    assets = json.loads((synthesised.folder / f"totes-{synthesised.name}-pipeline.assets.json").read_text())
    buckets = {
        destination["bucketName"] for file in assets["files"].values() for destination in file["destinations"].values()
    }
    assert buckets == {"cdk-totes-assets-${AWS::AccountId}-${AWS::Region}"}


def test_every_resource_is_tagged_with_project_and_environment(synthesised: Synthesised) -> None:
    for part in synthesised.templates:
        tags = synthesised.stack_properties(part)["tags"]
        assert tags == {"project": "totes", "environment": synthesised.name}
