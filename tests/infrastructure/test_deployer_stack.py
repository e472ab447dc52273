"""Who may deploy from GitHub, and how far that goes."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from stacks import config
from stacks.checks import enforce_rules
from stacks.deployer_stack import DeployerStack, GitHub
from stacks.environment import Environment
from tests.support.templates import Synthesised, new_app, production

ISSUER = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}"

Template = dict[str, Any]


def deployer(folder: Path, environment: Environment | None = None, **github: str) -> Template:
    """The template of the stack alone, whose synth fails on any finding; production's, where nothing is said."""
    environment = environment or production()
    app = new_app(folder)
    DeployerStack(app, environment, github=GitHub(**{"repository": "owner/repo", **github}))
    enforce_rules(app)
    app.synth()
    template: Template = json.loads((folder / f"totes-{environment.name}-deployer.template.json").read_text())
    return template


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deployer")
    deployer(folder)
    return folder


@pytest.fixture
def prod_deployer(assembly: Path) -> Template:
    template: Template = json.loads((assembly / "totes-prod-deployer.template.json").read_text())
    return template


def roles(template: Template) -> dict[str, Template]:
    """The roles' properties, by name."""
    return {
        each["Properties"]["RoleName"]: each["Properties"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::IAM::Role"
    }


def trusted(role: Template) -> tuple[Any, Any]:
    """Whose tokens a role accepts, and what they must say; nothing but a web identity is expected."""
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRoleWithWebIdentity")
    assert set(statement["Principal"]) == {"Federated"}
    return statement["Principal"]["Federated"], statement["Condition"]


def allowed(role: Template) -> set[tuple[str, str]]:
    """All that a role may do, as pairs of action and resource."""
    assert "ManagedPolicyArns" not in role
    pairs = set()
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            actions, resources = statement["Action"], statement["Resource"]
            for action in actions if isinstance(actions, list) else [actions]:
                for resource in resources if isinstance(resources, list) else [resources]:
                    parts = resource["Fn::Join"][1]
                    pairs.add((action, "".join(p if isinstance(p, str) else f"<{p['Ref'][5:]}>" for p in parts)))
    return pairs


def bootstrapped(purpose: str) -> tuple[str, str]:
    return (
        "sts:AssumeRole",
        f"arn:<Partition>:iam::<AccountId>:role/cdk-totes-{purpose}-role-<AccountId>-<Region>",
    )


def said_by(subject: str, **more: str) -> Template:
    claims = {"aud": "sts.amazonaws.com", "sub": subject, **more}
    return {"StringEquals": {f"{ISSUER}:{claim}": said for claim, said in claims.items()}}


def test_only_a_job_of_main_in_the_environment_of_that_repository_may_deploy(prod_deployer: Template) -> None:
    _, condition = trusted(roles(prod_deployer)["totes-prod-deploy"])
    assert condition == said_by("repo:owner/repo:environment:prod", ref="refs/heads/main")


def test_only_a_pull_request_of_that_repository_may_compare_itself(prod_deployer: Template) -> None:
    _, condition = trusted(roles(prod_deployer)["totes-prod-diff"])
    assert condition == said_by("repo:owner/repo:pull_request")


def test_an_environment_is_not_opened_by_the_job_of_another(tmp_path: Path) -> None:
    _, condition = trusted(roles(deployer(tmp_path, config.named("dev")))["totes-dev-deploy"])
    assert condition == said_by("repo:owner/repo:environment:dev", ref="refs/heads/main")


def test_a_repository_whose_tokens_carry_ids_is_known_by_them(tmp_path: Path) -> None:
    found = roles(deployer(tmp_path, repository="owner@12/repo@345"))
    assert trusted(found["totes-prod-deploy"])[1] == said_by(
        "repo:owner@12/repo@345:environment:prod", ref="refs/heads/main"
    )
    assert trusted(found["totes-prod-diff"])[1] == said_by("repo:owner@12/repo@345:pull_request")


def test_to_deploy_is_to_become_the_bootstrapped_roles_and_nothing_else(prod_deployer: Template) -> None:
    assert allowed(roles(prod_deployer)["totes-prod-deploy"]) == {
        bootstrapped("deploy"),
        bootstrapped("file-publishing"),
        bootstrapped("lookup"),
    }


def test_a_pull_request_may_become_nobody_who_changes_anything(prod_deployer: Template) -> None:
    assert allowed(roles(prod_deployer)["totes-prod-diff"]) == {bootstrapped("lookup")}


def test_the_roles_that_may_be_assumed_are_those_that_the_cli_assumes(
    prod: Synthesised, prod_deployer: Template
) -> None:
    """Else a renamed role or another qualifier would only show at the first deployment."""
    stack = prod.stack_properties("pipeline")
    assets = json.loads((prod.folder / "totes-prod-pipeline.assets.json").read_text())["files"].values()
    assumed = {stack["assumeRoleArn"], stack["lookupRole"]["arn"]} | {
        destination["assumeRoleArn"] for file in assets for destination in file["destinations"].values()
    }
    written = {arn.replace("${AWS::", "<").replace("}", ">") for arn in assumed}
    assert {resource for _, resource in allowed(roles(prod_deployer)["totes-prod-deploy"])} == written


def test_an_account_without_a_provider_gets_githubs(prod_deployer: Template) -> None:
    [(logical_id, provider)] = [
        (logical_id, each)
        for logical_id, each in prod_deployer["Resources"].items()
        if each["Type"] == "AWS::IAM::OIDCProvider"
    ]
    assert provider["Properties"] == {"Url": f"https://{ISSUER}", "ClientIdList": ["sts.amazonaws.com"]}
    assert provider["DeletionPolicy"] == "RetainExceptOnCreate", "others in the account sign in by it too"
    assert {trusted(role)[0]["Ref"] for role in roles(prod_deployer).values()} == {logical_id}


def test_a_provider_that_the_account_has_is_used_as_it_is(tmp_path: Path) -> None:
    template = deployer(tmp_path, provider=PROVIDER)
    assert {each["Type"] for each in template["Resources"].values()} == {"AWS::IAM::Role"}
    assert {trusted(role)[0] for role in roles(template).values()} == {PROVIDER}


def test_production_keeps_its_deployer(assembly: Path) -> None:
    manifest = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    assert manifest["totes-prod-deployer"]["properties"]["terminationProtection"] is True


@pytest.mark.parametrize(
    "repository",
    ["", "owner", "owner/", "/repo", "a/b/c", "owner/*", "*/repo", "owner/repo:ref", "owner/repo\n", "owner@1/repo",
     "owner/repo@1", "https://github.com/owner/repo", "true"],
)  # fmt: skip
def test_what_is_no_repository_is_answered_with_how_to_name_one(repository: str) -> None:
    with pytest.raises(ValueError, match=r"is no GitHub repository; say -c github=OWNER/REPO"):
        GitHub(repository=repository)


@pytest.mark.parametrize(
    "provider",
    ["", ISSUER, f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}.example.org",
     "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontentXcom",
     f"arn:aws:iam::12:oidc-provider/{ISSUER}", "arn:aws:iam::123456789012:role/github"],
)  # fmt: skip
def test_what_is_no_provider_is_answered_with_where_to_find_one(provider: str) -> None:
    with pytest.raises(ValueError, match="aws iam list-open-id-connect-providers"):
        GitHub(repository="owner/repo", provider=provider)


def test_the_context_is_where_repository_and_provider_come_from(tmp_path: Path) -> None:
    def read(**context: str) -> GitHub | None:
        return GitHub.from_context(cdk.App(context=context, outdir=str(tmp_path)).node)

    assert read() is None
    assert read(github="owner/repo") == GitHub(repository="owner/repo")
    assert read(github="owner/repo", github_oidc_provider=PROVIDER) == GitHub(
        repository="owner/repo", provider=PROVIDER
    )
    with pytest.raises(ValueError, match="say -c github=OWNER/REPO with it"):
        read(github_oidc_provider=PROVIDER)
