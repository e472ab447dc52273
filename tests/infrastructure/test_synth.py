import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from app import check_place, chosen_environment
from stacks import config
from stacks.environment import Environment
from stacks.settings.networks import ExistingNetwork, NewNetwork
from tests.support.templates import (
    ADDRESS,
    Synthesised,
    new_app,
    production,
    run_app,
    synthesise,
    synthesise_foundations,
)

COMMIT = "0123abc"
PIPELINE = "totes-prod-pipeline.template.json"


@dataclass(frozen=True)
class Ran:
    """The app, run as the CLI runs it for production and a repository that deploys it."""

    assembly: Path
    temporary: Path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    ran = Ran(tmp_path_factory.mktemp("assembly"), tmp_path_factory.mktemp("temporary"))
    done = run_app(ran.assembly, ran.temporary, env="prod", alarm_email=ADDRESS, github="owner/repo", commit=COMMIT)
    assert done.returncode == 0, done.stderr
    return ran


def files(assembly: Path) -> list[str]:
    return sorted(path.name for path in assembly.glob("totes-*.json") if not path.name.endswith("metadata.json"))


def test_two_synths_give_identical_output_without_credentials(prod: Synthesised, ran: Ran) -> None:
    names = files(prod.folder)
    assert names == [
        f"totes-prod-{part}.{kind}.json"
        for part in ("dashboard", "data", "network", "pipeline", "watch")
        for kind in ("assets", "template")
    ]
    of_all = [name for name in names if "pipeline" not in name]
    for name in of_all:
        assert (ran.assembly / name).read_bytes() == (prod.folder / name).read_bytes()
    # Whoever calls the app names the commit too.
    of_a_commit, of_none = (json.loads((folder / PIPELINE).read_text()) for folder in (ran.assembly, prod.folder))
    del of_a_commit["Outputs"]["Commit"]
    assert json.dumps(of_a_commit) == json.dumps(of_none), "in the same order too"
    assert not any(ran.temporary.iterdir()), "a synth leaves nothing in the temporary folder"
    assert {path.name for path in ran.assembly.glob("asset.*")} == {path.name for path in prod.folder.glob("asset.*")}


def test_whoever_rolls_back_finds_the_commit_that_is_deployed(ran: Ran) -> None:
    template = json.loads((ran.assembly / PIPELINE).read_text())
    assert template["Outputs"]["Commit"]["Value"] == COMMIT


def test_the_deployer_is_in_the_app_only_for_a_named_repository(prod: Synthesised, ran: Ran) -> None:
    assert set(files(ran.assembly)) - set(files(prod.folder)) == {
        f"totes-prod-deployer.{kind}.json" for kind in ("assets", "template")
    }


def test_foundations_are_the_same_with_and_without_what_is_made_on_them(prod: Synthesised, store: Path) -> None:
    """So a test that is about them may do without the others."""
    alone = synthesise_foundations(production(), store).templates
    assert alone == {part: prod.templates[part] for part in ("dashboard", "data", "network")}


def chosen(folder: Path, **context: Any) -> Environment:
    """The environment that words of the CLI mean."""
    return chosen_environment(new_app(folder, **context).node)


def test_an_unknown_environment_ends_the_synth_with_the_known_ones(tmp_path: Path) -> None:
    known = ", ".join(config.names())
    with pytest.raises(ValueError, match=f"there is no environment 'nosuch'; name one of {known}"):
        chosen(tmp_path, env="nosuch")


def test_two_of_a_kind_share_no_name(dev: Synthesised, tmp_path: Path, store: Path) -> None:
    templates = synthesise(chosen(tmp_path, env="dev-alice"), store).templates
    assert set(templates) == set(dev.templates)
    names = re.findall(r'"(?:\w*Name|Name)": "([^"]*totes[^"]*)"', json.dumps(templates))
    assert names
    assert [name for name in names if "dev-alice" not in name] == []


def test_a_suffix_is_part_of_the_name_or_a_word_beside_it_and_not_both(tmp_path: Path) -> None:
    assert chosen(tmp_path, env="dev", suffix="alice") == chosen(tmp_path, env="dev-alice")
    with pytest.raises(ValueError, match="dev-alice has a suffix already"):
        chosen(tmp_path, env="dev-alice", suffix="bob")


def test_production_is_not_synthesised_without_somebody_to_tell(tmp_path: Path, store: Path) -> None:
    with pytest.raises(ValueError, match=r"prod has no alarm_email: nobody would be told when .* alarm_email=ADDRESS"):
        synthesise(chosen(tmp_path, env="prod"), store)


def test_a_region_whose_certificates_nobody_has_ends_the_synth(tmp_path: Path) -> None:
    failed = run_app(tmp_path, region="us-gov-west-1", env="dev")
    assert failed.returncode != 0
    assert "ValueError: region us-gov-west-1: totes has no certificates of RDS's authority there" in failed.stderr
    assert "deploy to another region, or set warehouse to GivenDatabase(...)" in failed.stderr


@pytest.mark.parametrize("region", ["cn-north-1", "eusc-de-east-1"])
def test_no_other_partition_has_any(region: str) -> None:
    with pytest.raises(ValueError, match=f"region {region}: totes has no certificates of RDS's authority there"):
        check_place(config.named("dev"), None, region)


def test_a_warehouse_of_somebody_elses_may_be_where_it_is() -> None:
    """Its authority's certificates may stand in its secret."""
    check_place(replace(config.named("local"), dashboard=False), None, "us-gov-west-1")
    with pytest.raises(ValueError, match="us-gov-west-1"):
        check_place(config.named("dev"), None, "us-gov-west-1")


@pytest.mark.parametrize("region", ["us-gov-west-1", "us-gov-east-1", "cn-north-1", "cn-northwest-1", "eusc-de-east-1"])
def test_the_dashboard_is_refused_where_nobody_could_sign_in_to_it(region: str) -> None:
    elsewhere = config.named("local")
    assert elsewhere.dashboard
    with pytest.raises(ValueError, match=f"region {region}: the dashboard needs .* set dashboard=False in stacks/conf"):
        check_place(elsewhere, None, region)
    for common in ("eu-west-2", "us-west-1", None):
        check_place(elsewhere, None, common)


def test_an_address_that_is_none_ends_the_synth(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'data' is no e-mail address"):
        chosen(tmp_path, env="dev", alarm_email="data")


def test_credentials_of_another_account_or_region_end_the_synth() -> None:
    prod = replace(production(), account="111122223333", region="eu-west-2")
    check_place(prod, "111122223333", "eu-west-2")
    check_place(prod, None, None)  # whoever synthesises for CI has no credentials
    with pytest.raises(ValueError, match=r"prod belongs to account 111122223333 .* for 444455556666: .* AWS_PROFILE"):
        check_place(prod, "444455556666", "eu-west-2")
    with pytest.raises(ValueError, match=r"prod belongs to region eu-west-2 .* for eu-west-1"):
        check_place(prod, "111122223333", "eu-west-1")
    check_place(prod.on_this_machine(), "000000000000", "us-east-1")


@pytest.mark.parametrize(
    "network",
    [
        NewNetwork(zones=("eu-west-2a", "eu-west-2c")),
        ExistingNetwork(
            vpc_id="vpc-1", availability_zones=("eu-west-2a", "eu-west-2c"), private_subnet_ids=("subnet-1", "subnet-2")
        ),
    ],
    ids=["new", "existing"],
)
def test_a_network_in_another_regions_zones_ends_the_synth(network: NewNetwork | ExistingNetwork) -> None:
    there = replace(config.named("dev"), network=network)
    check_place(there, None, "eu-west-2")
    check_place(there, None, None)
    with pytest.raises(
        ValueError, match=r"has the zones eu-west-2a, eu-west-2c .* for region eu-central-1: name zones"
    ):
        check_place(there, None, "eu-central-1")


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


def test_tags_of_a_company_are_on_every_stack_and_on_what_a_stack_does_not_tag(store: Path) -> None:
    """Of an instance's volume, and of what a launch template starts, AWS takes no tags from the stack."""
    wanted = {"project": "totes", "environment": "prod", "CostCenter": "42"}
    found = synthesise_foundations(replace(production(), tags={"CostCenter": "42"}), store)
    for part in found.templates:
        assert found.stack_properties(part)["tags"] == wanted
    instances = [each["Properties"] for each in found.resources("AWS::EC2::Instance").values()]
    [template] = found.resources("AWS::EC2::LaunchTemplate").values()
    specifications = template["Properties"]["LaunchTemplateData"]["TagSpecifications"]
    assert instances
    assert all(instance["PropagateTagsToVolumeOnCreation"] for instance in instances)
    assert {each["ResourceType"] for each in specifications} == {"instance", "network-interface", "volume"}
    for tagged in (*instances, *specifications):
        assert {**wanted, "Name": ANY} == {tag["Key"]: tag["Value"] for tag in tagged["Tags"]}
