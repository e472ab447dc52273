"""What is deployed has a price: the command reads the synthesised templates, and knows every resource in them."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from command_line.commands.costs import show
from costs import by_each_way_out, estimate, read_resources
from costs.estimate import CUSTOM_METRICS
from costs.prices import SECRET
from stacks import config
from stacks.environment import Environment
from stacks.settings.databases import GivenDatabase
from stacks.settings.networks import NewNetwork
from tests.support.command_line import totes
from tests.support.templates import Synthesised, production, synthesise
from totes import telemetry


def test_every_resource_has_a_price_or_is_known_to_be_free(synthesised: Synthesised) -> None:
    unknown = estimate(read_resources(synthesised.folder)).unknown
    assert unknown == [], "write down in costs what is not known of these"


def test_a_small_shop_pays_no_more_than_this(dev: Synthesised, prod: Synthesised) -> None:
    for environment, most in ((dev, 40), (prod, 95)):
        assert estimate(read_resources(environment.folder)).usd <= most


def test_the_dashboard_costs_a_small_shop_less_than_two_dollars(dev: Synthesised, store: Path) -> None:
    without = synthesise(dataclasses.replace(config.named("dev"), dashboard=False), store)
    total, rest = (estimate(read_resources(each.folder)).usd for each in (dev, without))
    assert 0 < total - rest < 2


def test_metrics_that_nothing_sends_are_not_paid_for(dev: Synthesised, store: Path) -> None:
    bare = synthesise(dataclasses.replace(config.named("dev"), dashboard=False, rates=None), store)
    counts = [
        [line.count for line in estimate(read_resources(each.folder)).lines if line.kind == CUSTOM_METRICS]
        for each in (dev, bare)
    ]
    of_the_dashboard, of_rates = {telemetry.PUBLISHED}, {telemetry.RATES_AGE, telemetry.RATES_FAILED}
    assert counts == [[len(telemetry.METRICS)], [len({*telemetry.METRICS} - of_the_dashboard - of_rates)]]


def test_the_masters_secret_is_charged_beside_the_databases(dev: Synthesised, local: Synthesised) -> None:
    secrets = [
        {line.kind: line.count for line in estimate(read_resources(each.folder)).lines if line.charge.price == SECRET}
        for each in (dev, local)
    ]
    logins = {"AWS::SecretsManager::Secret": 3}
    assert secrets == [{"AWS::RDS::DBInstance": 1, **logins}, logins]


def test_either_way_out_costs_what_it_costs_where_it_is_deployed(prod: Synthesised, store: Path) -> None:
    by_gateway = dataclasses.replace(production(), network=NewNetwork(nat="gateway", nat_zones=2))
    here, there = (read_resources(each.folder) for each in (prod, synthesise(by_gateway, store)))
    assert by_each_way_out(here) == {"instance": estimate(here).usd, "gateway": estimate(there).usd}
    assert by_each_way_out(there) == by_each_way_out(here)


def test_what_has_no_nat_has_no_way_out_to_choose(local: Synthesised) -> None:
    assert by_each_way_out(read_resources(local.folder)) == {}


def test_the_document_compares_the_ways_out_at_their_prices(
    dev: Synthesised, prod: Synthesised, root: Path, store: Path
) -> None:
    def total(environment: Environment) -> str:
        return f"{estimate(read_resources(synthesise(environment, store).folder)).usd:,.2f}"

    document = (root / "docs" / "costs.md").read_text()
    inside = GivenDatabase(security_group_id="sg-0123456789abcdef0")
    none = [
        total(dataclasses.replace(environment, source=inside)) for environment in (config.named("dev"), production())
    ]
    here, there = (by_each_way_out(read_resources(each.folder)) for each in (dev, prod))
    instance, gateway = (f"{here[way]:,.2f} / {there[way]:,.2f}" for way in ("instance", "gateway"))
    line = f"| dev / prod in all | {instance} | {gateway} | {' / '.join(none)} |"
    assert line in document, f"docs/costs.md has another line: {line}"


def test_the_document_prints_what_the_command_says(dev: Synthesised, prod: Synthesised, root: Path) -> None:
    """README too, in whole dollars."""
    document, readme = (root / "docs" / "costs.md").read_text(), (root / "README.md").read_text()
    for environment in (dev, prod):
        resources = read_resources(environment.folder)
        line = f"\n{environment.name}: {estimate(resources).usd:,.2f} USD a month\n"
        assert line in document, f"docs/costs.md: put there what totes costs --env {environment.name} says now"
        for way, usd in by_each_way_out(resources).items():
            assert f'{usd:,.2f} with nat="{way}"' in document
        in_readme = f"{environment.name} {'costs about ' if environment is dev else ''}{estimate(resources).usd:.0f}"
        assert in_readme in readme, f"README.md has another price: {in_readme}"


def test_dev_uses_what_its_schedules_say(dev: Synthesised) -> None:
    lines = {(line.kind, line.charge.price.unit): line for line in estimate(read_resources(dev.folder)).lines}
    assert lines["AWS::StepFunctions::StateMachine", "state transitions"].charge.quantity == 8760 * 12
    assert 4 * 8760 < lines["AWS::Lambda::Function", "requests"].charge.quantity < 4 * 8760 + 400
    assert lines["AWS::S3::Bucket", "GB-months"].count == len(dev.resources("AWS::S3::Bucket"))


def test_the_document_has_the_prices_used_and_adds_up(dev: Synthesised, tmp_path: Path) -> None:
    document = totes("costs", "--env", "dev", "--json", folder=tmp_path).json()
    assert (document["region"], document["prices_as_of"]) == ("eu-west-2", "2026-11-24")
    assert all(line["price_usd"] > 0 for line in document["lines"])
    assert document["usd"] == pytest.approx(sum(line["usd"] for line in document["lines"]), abs=0.01)
    assert document["usd"] == float(round(estimate(read_resources(dev.folder)).usd, 2))
    assert document["usd_by_way_out"]["instance"] == document["usd"] < document["usd_by_way_out"]["gateway"]


def test_the_table_has_the_total_and_what_is_not_in_it(dev: Synthesised, tmp_path: Path) -> None:
    shown = totes("costs", folder=tmp_path).out
    total = estimate(read_resources(dev.folder)).usd
    assert "StepFunctions::StateMachine" in shown
    assert f"dev: {total:,.2f} USD a month\n" in shown
    assert re.search(r'[0-9.]+ with nat="instance" or [0-9.]+ with nat="gateway"', shown)
    assert re.search(r"no cost counted for: .*IAM::Role", shown)
    assert "free tiers: none is taken off" in shown


SIZES = ("--orders-a-year", "10000", "--orders-a-year", "1000000", "--orders-a-year", "100000000")


def test_a_shops_size_says_what_it_pays_and_which_step_breaks_first(tmp_path: Path) -> None:
    found = totes("costs", *SIZES, "--json", folder=tmp_path).json()
    small, middle, large = found["sizes"]
    assert small["orders_a_year"] == 10_000
    assert small["broken"] == []
    assert large["broken"]
    assert small["cost"]["usd"] < middle["cost"]["usd"] < large["cost"]["usd"]
    assert [each["orders_a_year"] for each in found["breaks"]] == sorted(
        (each["orders_a_year"] for each in found["breaks"]), key=lambda most: most or 10**12
    )
    assert set(found["breaks"][0]) == {"step", "limit", "orders_a_year", "then"}
    assert set(small["stored_bytes"]) == {"ingestion", "processed", "warehouse", "snapshots"}
    # What the price of each size has in it is the same sum as without a size.
    assert small["cost"]["usd"] == pytest.approx(sum(line["usd"] for line in small["cost"]["lines"]), abs=0.01)


def test_the_document_prints_what_a_size_costs(tmp_path: Path, root: Path) -> None:
    shown = totes("costs", *SIZES, folder=tmp_path).out
    document = (root / "docs" / "costs.md").read_text()
    for line in shown.splitlines():
        assert line in document, f"docs/costs.md: put there what totes costs {' '.join(SIZES)} says now"


def test_what_was_measured_elsewhere_is_reckoned_with_only_for_a_size(tmp_path: Path) -> None:
    answer = totes("costs", "--measured", "some.json", folder=tmp_path)
    assert answer.code == 1
    assert "--measured is for --orders-a-year" in answer.err
    answer = totes("costs", "--orders-a-year", "7", "--measured", "some.json", folder=tmp_path)
    assert answer.code == 1
    assert "some.json is no result of make bench" in answer.err


def test_the_table_names_what_is_not_known_and_says_that_the_total_lacks_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = {"Resources": {"Robot": {"Type": "AWS::RoboMaker::Robot"}}}
    (tmp_path / "odd.template.json").write_text(json.dumps(odd))
    show("odd", estimate(read_resources(tmp_path)), {})
    shown = capsys.readouterr().out
    assert "AWS::RoboMaker::Robot Robot" in shown
    assert "USD a month, and what is not known" in shown


def test_a_second_deployment_of_an_environment_costs_what_the_first_does(tmp_path: Path) -> None:
    first, second = (totes("costs", "--env", name, folder=tmp_path).out for name in ("dev", "dev-alice"))
    assert second == first.replace("dev: ", "dev-alice: ")


def test_an_environment_that_does_not_exist_is_a_sentence(tmp_path: Path) -> None:
    answer = totes("costs", "--env", "nosuch", folder=tmp_path)
    assert answer.code == 1
    assert "there is no environment 'nosuch'" in answer.err
