import dataclasses
import platform
import sys
from typing import Any

import pytest

from command_line.acceptance.__main__ import SUFFIX
from stacks import config
from stacks import environment as settings
from stacks.environment import _SUFFIX
from stacks.settings.databases import GivenDatabase, OwnDatabase
from stacks.settings.domain import OwnDomain
from stacks.settings.functions import FunctionSettings
from stacks.settings.networks import ExistingNetwork, NewNetwork
from stacks.settings.rates import Rates
from stacks.target import Target
from tests.support.templates import Synthesised
from totes.lake.audit import NIGHTS


def test_an_unknown_environment_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=f"no environment 'nosuch'.*{', '.join(config.names())}"):
        config.named("nosuch")


@pytest.mark.parametrize("address", ["data", "", "data@", "data@shop.example, ann@shop.example"])
def test_an_address_that_is_none_is_refused_wherever_it_is_written(address: str) -> None:
    with pytest.raises(ValueError, match=f"dev: '{address}' is no e-mail address"):
        dataclasses.replace(config.named("dev"), alarm_email=address)
    with pytest.raises(ValueError, match=f"dev: '{address}' is no e-mail address"):
        config.named("dev").telling(address)


@pytest.mark.parametrize("account", ["1234", "1234567890123", "arn:aws:iam::123456789012:root", ""])
def test_an_account_that_is_none_is_refused(account: str) -> None:
    with pytest.raises(ValueError, match=f"dev: account is '{account}', and an account is a text of 12 digits"):
        dataclasses.replace(config.named("dev"), account=account)


@pytest.mark.parametrize("region", ["London", "eu-west", "eu-west-2a", ""])
def test_a_region_that_is_none_is_refused(region: str) -> None:
    with pytest.raises(ValueError, match=f"dev: region is '{region}', and a region has a name such as eu-west-2"):
        dataclasses.replace(config.named("dev"), region=region)


@pytest.mark.parametrize("region", ["eu-west-2", "us-gov-west-1", "ap-southeast-5", "eusc-de-east-1"])
def test_every_kind_of_region_has_a_name_that_is_taken(region: str) -> None:
    assert dataclasses.replace(config.named("dev"), region=region).region == region


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"Environment": "Production"}, "the key 'Environment', and totes' resources have project, environment and"),
        ({"name": "totes"}, "the key 'name', and totes' resources have"),
        ({"aws:cost": "42"}, "the key 'aws:cost', and a key .* does not begin with aws: or totes:"),
        ({"": "42"}, "the key '', and a key has 1 to 128"),
        ({"CostCenter": "a;b"}, "'a;b' for CostCenter, and a value has 1 to 256"),
        ({"CostCenter": ""}, "'' for CostCenter, and a value has 1 to 256"),
        ({"CostCenter": "1", "costcenter": "2"}, "two keys that differ in nothing but capitals"),
        ({f"key{number}": "" for number in range(41)}, "are 41, and 40 at most"),
    ],
)
def test_tags_that_aws_would_not_take_beside_our_own_are_refused(tags: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=f"dev: tags (has )?{why}"):
        dataclasses.replace(config.named("dev"), tags=tags)


def test_dev_and_prod_run_what_lambda_runs_and_local_what_this_machine_runs() -> None:
    assert config.named("dev").target == config.named("prod").target
    assert config.named("dev").target.machine == "arm64"
    assert config.named("local").target.python == f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(("reported", "machine"), [("x86_64", "x86_64"), ("aarch64", "arm64"), ("arm64", "arm64")])
def test_every_name_of_a_processor_is_understood(monkeypatch: pytest.MonkeyPatch, reported: str, machine: str) -> None:
    monkeypatch.setattr(platform, "machine", lambda: reported)
    assert Target.host().machine == machine


def test_a_processor_that_lambda_does_not_have_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(ValueError, match="riscv64"):
        Target.host()


def test_an_environment_with_a_suffix_has_a_name_of_its_own() -> None:
    assert config.named("dev-alice") == config.named("dev").suffixed("alice")
    assert config.named("dev-alice").name == "dev-alice"
    domain = OwnDomain(
        name="dashboard.shop.example", certificate_arn="arn:aws:acm:us-east-1:123456789012:certificate/1"
    )
    first = dataclasses.replace(config.named("dev"), dashboard_domain=domain)
    assert first.suffixed("alice").dashboard_domain is None, "CloudFront gives a name to one distribution"


@pytest.mark.parametrize("suffix", ["", "Alice", "a-b", "1st", "muchtoolongaword"])
def test_a_suffix_that_is_no_short_word_is_refused(suffix: str) -> None:
    with pytest.raises(ValueError, match=f"suffix '{suffix}' is no word of at most 12"):
        config.named(f"dev-{suffix}")


def test_a_name_that_an_instances_made_up_name_would_cut_off_is_refused() -> None:
    staging = dataclasses.replace(config.named("dev"), name="staging")
    assert staging.suffixed("abcdefghij").name == "staging-abcdefghij"
    with pytest.raises(ValueError, match=r"'staging-abcdefghijk' has 19 characters, and .* at most 18"):
        staging.suffixed("abcdefghijk")


@pytest.mark.parametrize("name", ["pre-prod", "Staging", "2nd", ""])
def test_an_environments_name_is_a_word(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    changed = dataclasses.replace(config.named("dev"), name=name)
    monkeypatch.setattr(config, "ENVIRONMENTS", (*config.ENVIRONMENTS, changed))
    for ask in (config.names, lambda: config.named(name), lambda: config.named("dev")):
        with pytest.raises(ValueError, match=rf"'{name}' in stacks/config.py is no word of small letters and digits"):
            ask()


def test_every_setting_can_be_written_where_a_person_edits() -> None:
    made = [each for each in vars(settings).values() if isinstance(each, type) and dataclasses.is_dataclass(each)]
    names = {each.__name__ for each in made if each.__module__.startswith(("stacks.environment", "stacks.settings."))}
    assert len(names) > 1
    assert names <= set(config.__all__)


def test_an_acceptance_run_takes_the_same_suffixes() -> None:
    assert _SUFFIX == SUFFIX


@pytest.mark.parametrize(
    ("reader", "sentence"),
    [
        ("0.0.0.0/0", "lets everybody in"),
        ("::/0", "is no range of IPv4 addresses"),
        ("10.1.2.3/16", "is no range of IPv4 addresses .* such as 10.1.0.0/16"),
        ("office", "is no range of IPv4 addresses .* nor a security group"),
        ("sg-office", "is no range of IPv4 addresses .* nor a security group"),
    ],
)
def test_a_reader_that_is_none_or_everybody_is_refused(reader: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"dev: readers has '{reader}', which {sentence}"):
        dataclasses.replace(config.named("dev"), readers=(reader,))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"memory_mb": 64}, "memory_mb is 64; .* 128 to 10240 MB"),
        ({"memory_mb": 10241}, "memory_mb is 10241"),
        ({"timeout_minutes": 0}, "timeout_minutes is 0"),
        ({"timeout_minutes": 16}, "timeout_minutes is 16; .* after 15"),
    ],
)
def test_what_lambda_gives_no_function_is_refused(settings: dict[str, int], sentence: str) -> None:
    assert FunctionSettings(memory_mb=10240, timeout_minutes=15).memory_mb == 10240
    with pytest.raises(ValueError, match=sentence):
        FunctionSettings(**settings)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"tick_minutes": 0}, "tick_minutes is 0, and not 1 to 1440"),
        ({"tick_minutes": 1441}, "tick_minutes is 1441, and not 1 to 1440: .* alarms look back over six of them"),
        ({"pieces_at_once": 0}, "pieces_at_once is 0, and not 1 to 1000: with 0 Step Functions would start"),
        ({"verify_hour": 24}, "verify_hour is 24, and not 0 to 23"),
        ({"rotation_days": 2000}, "rotation_days is 2000, and not 1 to 1000: Secrets Manager"),
        ({"mass_deletion_percent": -1}, "mass_deletion_percent is -1, and not 0 to 100"),
        ({"sweep": FunctionSettings(timeout_minutes=2)}, "sweep has 2 minutes, and begins nothing in its last two"),
        ({"publish": FunctionSettings(timeout_minutes=6)}, "publish has 6 minutes, and a run waits .* than 5"),
    ],
)
def test_a_number_that_would_do_harm_or_that_aws_refuses_is_refused_by_the_synth(
    setting: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=f"dev: {sentence}"):
        dataclasses.replace(config.named("dev"), **setting)


def test_a_disk_may_grow_by_a_tenth_at_least_or_rds_refuses_it() -> None:
    own = OwnDatabase(instance_type="t4g.micro", multi_az=False, backup_days=7, storage_gib=25, most_storage_gib=28)
    with pytest.raises(ValueError, match=r"most_storage_gib is 27; .* a tenth more .* 28 or more"):
        dataclasses.replace(own, most_storage_gib=27)
    assert dataclasses.replace(own, most_storage_gib=25).most_storage_gib == 25, "one that is there grows no more"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"storage_gib": 10}, "storage_gib is 10; RDS gives a database 20 GiB or more"),
        ({"backup_days": 0}, "backup_days is 0; RDS keeps backups for 1 to 35 days"),
        ({"backup_days": 60}, "backup_days is 60; RDS keeps backups for 1 to 35 days"),
    ],
)
def test_a_size_or_time_that_rds_does_not_take_is_refused(setting: dict[str, Any], said: str) -> None:
    own = OwnDatabase(instance_type="t4g.micro", multi_az=False, backup_days=7)
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(own, **setting)


@pytest.mark.parametrize(
    ("zones", "subnets"),
    [
        (("eu-west-2a",), ("subnet-1",)),
        (("eu-west-2a", "eu-west-2a"), ("subnet-1", "subnet-2")),
        (("eu-west-2a", "eu-west-2b"), ("subnet-1",)),
    ],
)
def test_a_warehouse_in_a_network_that_rds_makes_none_in_is_refused(
    zones: tuple[str, ...], subnets: tuple[str, ...]
) -> None:
    network = ExistingNetwork(vpc_id="vpc-1", availability_zones=zones, private_subnet_ids=subnets)
    with pytest.raises(ValueError, match="needs subnets in two zones, or RDS refuses it"):
        dataclasses.replace(config.named("dev"), network=network)


def test_no_suffix_gives_a_schedule_the_name_of_another_environments(dev: Synthesised) -> None:
    names = {each["Properties"]["Name"] for each in dev.resources("AWS::Scheduler::Schedule").values()}
    others = names - {"totes-dev"}
    assert len(others) == len(names) - 1 > 1
    for name in others:
        suffix = name.removeprefix("totes-dev-")
        with pytest.raises(ValueError, match=f"suffix '{suffix}' would give dev-{suffix} a schedule or an alarm of"):
            config.named(f"dev-{suffix}")


def test_no_suffix_gives_an_alarm_the_name_of_another_environments(dev: Synthesised) -> None:
    alarms = {each["Properties"]["AlarmName"] for each in dev.resources("AWS::CloudWatch::Alarm").values()}
    words = {name.removeprefix("totes-dev-") for name in alarms}
    suffixes = {one.removesuffix(f"-{other}") for one in words for other in words if one.endswith(f"-{other}")}
    assert suffixes == {"no"}
    with pytest.raises(ValueError, match="suffix 'no' would give dev-no a schedule or an alarm of"):
        config.named("dev-no")


@pytest.mark.parametrize("zones", [("eu-west-2a", "eu-west-2a"), ("eu-west-2a",), ()])
def test_a_network_has_two_zones(zones: Any) -> None:
    with pytest.raises(ValueError, match="has two zones, so name two"):
        NewNetwork(zones=zones)


def test_a_network_in_the_place_of_another_needs_a_warehouse_of_its_generation() -> None:
    """Whichever kind it is of: RDS moves no instance into another VPC."""
    existing = ExistingNetwork(
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=("eu-west-2a", "eu-west-2b"),
        private_subnet_ids=("subnet-1", "subnet-2"),
        generation=2,
    )
    dev = config.named("dev")
    with pytest.raises(ValueError, match="a network of generation 2 needs a warehouse of that generation too"):
        dataclasses.replace(dev, network=existing)
    assert isinstance(dev.warehouse, OwnDatabase)
    moved = dataclasses.replace(dev, network=existing, warehouse=dataclasses.replace(dev.warehouse, generation=2))
    assert moved.network == existing


def test_what_an_audit_finds_missing_can_still_be_restored() -> None:
    for name in config.names():
        assert config.named(name).superseded_days >= 2 * NIGHTS, name
    assert config.named("dev").superseded_days == 21
    sentence = r"dev: superseded_days is 13, .* the audit takes 7 nights .* say 14 or more"
    with pytest.raises(ValueError, match=sentence):
        dataclasses.replace(config.named("dev"), superseded_days=13)


def test_where_cloudformation_is_no_administrator_data_is_not_deleted_with_its_stacks() -> None:
    for environment in (
        config.named("dev").deleting_data().within_boundary,
        config.named("dev").within_boundary().deleting_data,
    ):
        with pytest.raises(ValueError, match=r"dev is bounded, .* have no rights: bootstrap without them"):
            environment()


def test_a_given_warehouse_has_its_readers_from_its_owner() -> None:
    with pytest.raises(ValueError, match=r"dev: readers is for a warehouse of totes' own, .* its owner lets them in"):
        dataclasses.replace(config.named("dev"), warehouse=GivenDatabase(), readers=("10.1.0.0/16",))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"currency": "pounds"}, "Rates.currency is 'pounds', no code of ISO 4217"),
        ({"since": "yesterday"}, "Rates.since is 'yesterday', not a day such as 2024-03-02"),
        ({"sites": ("http://rates.example/{day}",)}, "Rates.sites has 'http://rates.example/{day}', .* HTTPS only"),
    ],
)
def test_a_mistake_in_the_rates_is_named_with_its_setting(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Rates(**said)


@pytest.mark.parametrize("said", [{"secret_key_arn": "arn:aws:kms:eu-west-2:1:key/2"}, {"rotates_secret": True}])
def test_what_is_said_of_a_given_secret_needs_one(said: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(said))} is about a secret that is given, .* its secret_arn too"):
        GivenDatabase(**said)


@pytest.mark.parametrize(
    ("source", "is_rotated"),
    [
        (GivenDatabase(), True),
        (GivenDatabase(rotates_secret=False), False),
        (GivenDatabase(secret_arn="arn:aws:secretsmanager:eu-west-2:1:secret:shop"), False),
        (GivenDatabase(secret_arn="arn:aws:secretsmanager:eu-west-2:1:secret:shop", rotates_secret=True), True),
    ],
)
def test_a_password_that_totes_cannot_change_is_left_alone_where_the_configuration_says_so(
    source: GivenDatabase,
    is_rotated: bool,  # noqa: FBT001 - pytest's parameter
) -> None:
    """A standby's is changed at its primary; that of a secret of somebody else's is not totes' to change."""
    rotated = dataclasses.replace(config.named("dev"), source=source).rotated_logins
    assert rotated == (*(["source"] if is_rotated else []), "warehouse", "dashboard")
