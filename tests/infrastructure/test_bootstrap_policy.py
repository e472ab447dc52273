"""CloudFormation may deploy what the templates hold, and is no administrator: neither itself nor by a role it makes."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from command_line.bootstrapping import Policy, boundary, policies
from command_line.bootstrapping.needs import NEEDS
from command_line.bootstrapping.policies import MOST_CHARACTERS
from local_cloud.policies import decide
from stacks import config
from stacks.settings.databases import GivenDatabase, OwnDatabase
from stacks.settings.networks import ExistingNetwork, NewNetwork
from tests.infrastructure.test_deployer_stack import deployer
from tests.infrastructure.test_network_stack import INSIDE
from tests.support.command_line import totes
from tests.support.templates import Synthesised, production, synthesise
from totes.errors import UserError

ARNS = {
    "AWS::CloudWatch::Alarm": ("AlarmName", "arn:aws:cloudwatch:eu-west-2:1:alarm:{}"),
    "AWS::CloudWatch::Dashboard": ("DashboardName", "arn:aws:cloudwatch::1:dashboard/{}"),
    "AWS::Lambda::Function": ("FunctionName", "arn:aws:lambda:eu-west-2:1:function:{}"),
    "AWS::Logs::LogGroup": ("LogGroupName", "arn:aws:logs:eu-west-2:1:log-group:{}"),
    "AWS::SNS::Topic": ("TopicName", "arn:aws:sns:eu-west-2:1:{}"),
    "AWS::SQS::Queue": ("QueueName", "arn:aws:sqs:eu-west-2:1:{}"),
    "AWS::Scheduler::Schedule": ("Name", "arn:aws:scheduler:eu-west-2:1:schedule/default/{}"),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", "arn:aws:states:eu-west-2:1:stateMachine:{}"),
}
"""Of the types whose resources have names in the templates, the property with the name and the ARN that it makes."""

MADE_UP = {
    "AWS::CloudFront::Distribution": "arn:aws:cloudfront::1:distribution/E1X2Y3",
    "AWS::CloudFront::OriginAccessControl": "arn:aws:cloudfront::1:origin-access-control/E1X2Y3",
    "AWS::CloudFront::ResponseHeadersPolicy": "arn:aws:cloudfront::1:response-headers-policy/00000000-x1y2",
    "AWS::Cognito::IdentityPool": "arn:aws:cognito-identity:eu-west-2:1:identitypool/eu-west-2:00000000-x1y2",
    "AWS::Cognito::IdentityPoolRoleAttachment": (
        "arn:aws:cognito-identity:eu-west-2:1:identitypool/eu-west-2:00000000-x1y2"
    ),
    "AWS::Cognito::UserPool": "arn:aws:cognito-idp:eu-west-2:1:userpool/eu-west-2_x1Y2",
    "AWS::Cognito::UserPoolClient": "arn:aws:cognito-idp:eu-west-2:1:userpool/eu-west-2_x1Y2",
    "AWS::Glue::Database": "arn:aws:glue:eu-west-2:1:database/totes_prod",
    "AWS::Glue::Table": "arn:aws:glue:eu-west-2:1:table/totes_prod/{id}",
    "AWS::IAM::Role": "arn:aws:iam::1:role/{stack}-{id}-x1Y2",
    "AWS::IAM::InstanceProfile": "arn:aws:iam::1:instance-profile/{stack}-{id}-x1Y2",
    "AWS::RDS::DBInstance": "arn:aws:rds:eu-west-2:1:db:{stack}-{lower}-x1y2",
    "AWS::RDS::DBParameterGroup": "arn:aws:rds:eu-west-2:1:pg:{stack}-{lower}-x1y2",
    "AWS::RDS::DBSubnetGroup": "arn:aws:rds:eu-west-2:1:subgrp:{stack}-{lower}-x1y2",
    "AWS::S3::Bucket": "arn:aws:s3:::{stack}-{lower}-x1y2",
    "AWS::SecretsManager::Secret": "arn:aws:secretsmanager:eu-west-2:1:secret:{id}-x1Y2-AbCdEf",
}
"""Of the others, what CloudFormation makes up."""

ANY = (
    *(kind for kind in NEEDS if kind.startswith("AWS::EC2::")),
    "AWS::Lambda::LayerVersion",
)

READS = ("Describe", "Get", "List")


EXISTING = ExistingNetwork(
    vpc_id="vpc-0123456789abcdef0",
    availability_zones=("eu-west-2a", "eu-west-2b"),
    private_subnet_ids=("subnet-00000000000000001", "subnet-00000000000000002"),
)
GIVEN_SECRET = GivenDatabase(
    secret_arn="arn:aws:secretsmanager:eu-west-2:123456789012:secret:theirs-AbCdEf",
    secret_key_arn="arn:aws:kms:eu-west-2:123456789012:key/00000000-0000-0000-0000-000000000000",
    rotates_secret=True,
)
OF_A_SNAPSHOT = OwnDatabase(
    instance_type="t4g.small", multi_az=True, backup_days=30, generation=2, snapshot="kept-by-hand"
)
OTHERS: dict[str, dict[str, Any]] = {
    "existing": {"network": EXISTING},
    "inside": {"source": INSIDE},
    "given secret": {"source": GIVEN_SECRET},
    "athena": {"athena": True},
    "given warehouse": {"warehouse": GivenDatabase()},
    "snapshot": {"network": NewNetwork(nat="gateway", generation=2), "warehouse": OF_A_SNAPSHOT},
}
"""What else the configuration can say, beside what it says."""


@pytest.fixture(scope="module")
def every(dev: Synthesised, prod: Synthesised, local: Synthesised, store: Path) -> dict[str, Synthesised]:
    """Each environment, and what else the configuration can say."""
    others = {
        name: synthesise(dataclasses.replace(production(), bounded=True, **other), store)
        for name, other in OTHERS.items()
    }
    return {"dev": dev, "prod": prod, "local": local, **others}


@pytest.fixture(scope="module", params=["dev", "prod", "local", *OTHERS])
def deployed(request: pytest.FixtureRequest, every: dict[str, Synthesised]) -> Synthesised:
    """Each of them in turn."""
    return every[request.param]


def named(synthesised: Synthesised) -> Iterator[tuple[str, str]]:
    """Types and ARNs of the resources, as they would be in an account."""
    for part, template in synthesised.templates.items():
        for logical_id, resource in template["Resources"].items():
            kind, properties = resource["Type"], resource.get("Properties", {})
            words = {"stack": f"totes-{synthesised.name}-{part}", "id": logical_id, "lower": logical_id.lower()}
            if kind in ARNS:
                name, arn = ARNS[kind]
                yield kind, arn.format(synthesised.said(properties[name]))
            elif kind in MADE_UP:
                yield kind, MADE_UP[kind].format(**words)
            elif kind in ANY:
                yield kind, f"arn:aws:ec2:eu-west-2:1:{kind}/{logical_id}"


def documents(made: list[Policy], *, without_conditions: bool = False) -> list[str]:
    if not without_conditions:
        return [policy.document for policy in made]
    statements = [
        {key: value for key, value in statement.items() if key != "Condition"}
        for policy in made
        for statement in policy.statements
    ]
    return [json.dumps({"Statement": statements})]


def own_actions(kind: str) -> set[str]:
    """The actions that are about a resource of a type itself, by its service's name."""
    words = {"CDK": "none", "StepFunctions": "states", "Cognito": "cognito-"}
    service = words.get(kind.split("::")[1], f"{kind.split('::')[1].lower()}:")
    return {action for need in NEEDS[kind] for action in need.actions if action.startswith(service)}


NO_ACTION = {"s3:DeleteBucketTagging"}
"""What the schemas speak of and IAM does not know: PutBucketTagging allows it."""


@pytest.mark.parametrize("kind", [kind for kind in NEEDS if kind != "AWS::CDK::Metadata"])
def test_what_a_type_wants_to_be_tagged_is_allowed(kind: str) -> None:
    """CloudFormation tags whatever can be, for our stacks have tags, and fails where it may not."""
    tagging = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-west-2", kind).schema.get("tagging", {})
    allowed = {action for need in NEEDS[kind] for action in need.actions}
    assert set(tagging.get("permissions", [])) - NO_ACTION <= allowed


def test_all_that_the_templates_hold_can_be_made_changed_and_deleted(deployed: Synthesised) -> None:
    made = documents(policies(deployed.folder, deployed.name), without_conditions=True)
    seen = set()
    for kind, arn in named(deployed):
        for action in own_actions(kind):
            assert decide(made, action, arn).allowed, (kind, action, arn)
            seen.add(kind)
    kinds = {
        resource["Type"] for template in deployed.templates.values() for resource in template["Resources"].values()
    }
    assert seen == kinds & {*ARNS, *MADE_UP, *ANY}, "each type was asked of"


def test_what_the_templates_ask_aws_for_may_be_asked(deployed: Synthesised) -> None:
    """Not only resources need rights, but Fn::GetAZs does too.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getavailabilityzones.html
    """
    made = documents(policies(deployed.folder, deployed.name))
    asks = "Fn::GetAZs" in json.dumps(deployed.templates)
    assert asks == bool(deployed.resources("AWS::EC2::VPC")), "a network of totes' own leaves its zones to AWS"
    for action in ("DescribeAccountAttributes", "DescribeAvailabilityZones", "DescribeSubnets") if asks else ():
        assert decide(made, f"ec2:{action}", "*").allowed, action


def test_a_type_that_is_not_known_is_named(tmp_path: Path) -> None:
    template = {"Resources": {"Robot": {"Type": "AWS::RoboMaker::Robot"}}}
    (tmp_path / "odd.template.json").write_text(json.dumps(template))
    with pytest.raises(
        UserError, match=r"AWS::RoboMaker::Robot; write it down in command_line/bootstrapping/needs\.py"
    ):
        policies(tmp_path, "odd")


def test_roles_are_passed_to_the_services_that_they_trust_and_no_others(prod: Synthesised) -> None:
    [passing] = [each for each in statements(prod) if "iam:PassRole" in each["Action"]]
    assert passing["Resource"] == ["arn:*:iam::*:role/totes-prod-*"]
    assert passing["Condition"] == {
        "StringEquals": {
            "iam:PassedToService": [
                f"{service}.amazonaws.com"
                for service in ("cognito-identity", "ec2", "lambda", "scheduler", "states", "vpc-flow-logs")
            ]
        }
    }


def test_a_role_is_made_and_given_rights_within_the_boundary_only(prod: Synthesised) -> None:
    [giving] = [each for each in statements(prod) if "iam:CreateRole" in each["Action"]]
    assert giving["Action"] == ["iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
    assert giving["Condition"] == {"StringLike": {"iam:PermissionsBoundary": "arn:*:iam::*:policy/totes-prod-boundary"}}


def statements(synthesised: Synthesised) -> list[Mapping[str, Any]]:
    return [each for policy in policies(synthesised.folder, synthesised.name) for each in policy.statements]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:CreateRole", "role/totes-prod-mine"),
        ("iam:PutRolePolicy", "role/totes-prod-mine"),
        ("iam:AttachRolePolicy", "role/totes-prod-mine"),
        ("iam:DeleteRolePermissionsBoundary", "role/totes-prod-mine"),
        ("iam:PassRole", "role/totes-prod-mine"),
        ("iam:CreatePolicyVersion", "policy/totes-prod-boundary"),
        ("iam:SetDefaultPolicyVersion", "policy/totes-prod-boundary"),
        ("iam:DeletePolicy", "policy/totes-prod-boundary"),
        ("iam:UpdateAssumeRolePolicy", "role/cdk-totes-cfn-exec-role-1-eu-west-2"),
        ("iam:PutRolePolicy", "role/cdk-totes-cfn-exec-role-1-eu-west-2"),
        ("iam:UpdateAssumeRolePolicy", "role/totes-prod-deploy"),
        ("iam:UpdateAssumeRolePolicy", "role/totes-prod-diff"),
        ("iam:UpdateAssumeRolePolicy", "role/totes-prod-second-deploy"),
        ("iam:TagRole", "role/totes-prod-second-diff"),
        ("iam:UpdateAssumeRolePolicy", "role/somebodys"),
        ("iam:CreateUser", "user/mallory"),
        ("iam:CreateAccessKey", "user/root"),
        ("iam:CreateServiceLinkedRole", "role/aws-service-role/other.amazonaws.com/x"),
    ],
)
def test_it_is_no_administrator_by_a_role(prod: Synthesised, action: str, resource: str) -> None:
    """An Allow with a condition allows nothing here, for whoever asks meets none."""
    made = documents(policies(prod.folder, "prod"))
    assert not decide(made, action, f"arn:aws:iam::1:{resource}").allowed


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sts:AssumeRole", "arn:aws:iam::1:role/anybody"),
        ("s3:GetObject", "arn:aws:s3:::totes-prod-data-ingestionbucket-x/batches/1"),
        ("s3:DeleteBucket", "arn:aws:s3:::somebodys"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-2:1:secret:somebodys-AbCdEf"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-2:1:secret:rds!db-1-AbCdEf"),
        ("lambda:UpdateFunctionCode", "arn:aws:lambda:eu-west-2:1:function:somebodys"),
        ("rds:DeleteDBInstance", "arn:aws:rds:eu-west-2:1:db:somebodys"),
        ("cloudformation:CreateStack", "arn:aws:cloudformation:eu-west-2:1:stack/mine/1"),
    ],
)
def test_what_is_somebody_elses_is_left_alone(prod: Synthesised, action: str, resource: str) -> None:
    assert not decide(documents(policies(prod.folder, "prod")), action, resource).allowed


VALUE = "secretsmanager:GetSecretValue"
MASTER = "arn:aws:secretsmanager:eu-west-2:1:secret:rds!db-1-AbCdEf"


def tags_of(deployed: Synthesised, word: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The secrets' ARNs, and what the templates tag them with, as conditions name it."""
    for logical_id, resource in deployed.resources("AWS::SecretsManager::Secret").items():
        tags = {f"aws:{word}/{each['Key']}": each["Value"] for each in resource["Properties"]["Tags"]}
        yield MADE_UP["AWS::SecretsManager::Secret"].format(id=logical_id), tags


def of_instance(name: str) -> dict[str, str]:
    """What RDS tags the secret of an instance's master with."""
    return {"aws:ResourceTag/aws:rds:primaryDBInstanceArn": f"arn:aws:rds:eu-west-2:1:db:{name}"}


def test_a_secret_is_made_read_and_deleted_by_the_tags_that_the_template_gives_it(deployed: Synthesised) -> None:
    made = documents(policies(deployed.folder, deployed.name))
    for arn, requested in tags_of(deployed, "RequestTag"):
        for action in ("CreateSecret", "TagResource", "DescribeSecret", "DeleteSecret"):
            assert decide(made, f"secretsmanager:{action}", arn, tags=requested).allowed, (action, arn)
    for arn, tags in tags_of(deployed, "ResourceTag"):
        for action in own_actions("AWS::SecretsManager::Secret") - {
            "secretsmanager:CreateSecret",
            "secretsmanager:GetRandomPassword",
        }:
            assert decide(made, action, arn, tags=tags).allowed, (action, arn)


@pytest.mark.parametrize(("mine", "other"), [("dev", "prod"), ("prod", "dev")])
def test_the_secrets_of_another_environment_are_out_of_reach(
    every: dict[str, Synthesised], mine: str, other: str
) -> None:
    """Of both the same template makes the same logical ids, and CloudFormation the names of these."""
    synthesised = every[mine]
    made, most = documents(policies(synthesised.folder, mine)), [boundary(synthesised.folder, mine).document]
    secrets = list(tags_of(every[other], "ResourceTag"))
    assert len(secrets) == 3
    for arn, tags in secrets:
        takes_over = {**tags, "aws:RequestTag/totes:environment": mine}
        for action in own_actions("AWS::SecretsManager::Secret") - {"secretsmanager:GetRandomPassword"}:
            assert not decide(made, action, arn, tags=tags).allowed, (action, arn)
            if action != "secretsmanager:CreateSecret":  # which is refused where there is one of the name
                assert not decide(made, action, arn, tags=takes_over).allowed, (action, arn)
        for action in ("GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage", "DescribeSecret"):
            assert not decide(most, f"secretsmanager:{action}", arn, tags=tags).allowed, (action, arn)


def test_of_the_masters_that_rds_keeps_a_role_reads_its_environments_alone(prod: Synthesised) -> None:
    most = [boundary(prod.folder, "prod").document]
    assert decide(most, VALUE, MASTER, tags=of_instance("totes-prod-data-warehouse-x1y2")).allowed
    others = ("totes-dev-data-warehouse-x1y2", "totes-prod-alice-data-warehouse-x1y2", "shop")
    for tags in (*(of_instance(each) for each in others), {}):
        assert not decide(most, VALUE, MASTER, tags=tags).allowed, tags


@pytest.mark.parametrize("length", range(1, 13))
@pytest.mark.parametrize("kind", ["dev", "prod", "snapshot"])
def test_a_master_is_told_from_that_of_a_suffixed_environment_however_long_the_suffix(
    every: dict[str, Synthesised], kind: str, length: int
) -> None:
    synthesised = every[kind]
    first, second = synthesised.name, f"{synthesised.name}-{'abcdefghijkl'[:length]}"
    [logical_id] = synthesised.resources("AWS::RDS::DBInstance")
    masters = {each: of_instance(made_up(f"totes-{each}-data", logical_id)) for each in (first, second)}
    for reader in masters:
        most = [boundary(synthesised.folder, reader).document]
        for owner, tags in masters.items():
            assert decide(most, VALUE, MASTER, tags=tags).allowed == (reader == owner), (reader, tags)


def test_of_the_longest_name_of_an_environment_the_dash_after_it_is_left() -> None:
    longest, instance = f"totes-staging-{'abcdefghij'}", "OwnWarehouseInstance0DD1595F"
    assert made_up(f"{longest}-data", instance).startswith(f"{longest}--ownwarehouse")
    assert made_up(f"{longest}k-data", instance).startswith(f"{longest}k-ownwarehouse"), (
        "a dash fewer, as staging's own"
    )


def made_up(stack: str, logical_id: str) -> str:
    """The identifier that CloudFormation makes up for an instance, in the 63 characters that RDS takes.

    The names share what two dashes and twelve characters of chance leave, and the stack's is cut where both are long:
    https://github.com/aws-cloudformation/cloudformation-cli-java-plugin (IdentifierUtils.java)
    """
    free = 63 - len("--x1y2x1y2x1y2")
    of_stack = min(len(stack), max(free - len(logical_id), free - free // 2))
    return f"{stack[:of_stack]}-{logical_id[: free - of_stack]}-x1y2x1y2x1y2".lower()


def test_the_names_that_cloudformation_makes_up_are_cut_as_aws_cuts_them() -> None:
    instance = "OwnWarehouseInstance0DD1595F"
    assert made_up("totes-dev-data", instance) == "totes-dev-data-ownwarehouseinstance0dd1595f-x1y2x1y2x1y2"
    assert made_up("totes-dev-abcdefghijkl-data", instance) == (
        "totes-dev-abcdefghijkl-da-ownwarehouseinstance0dd1-x1y2x1y2x1y2"
    )


@pytest.mark.parametrize(
    ("other", "action", "resource"),
    [
        ("dev-alice", "lambda:InvokeFunction", "lambda:eu-west-2:1:function:totes-{}-rotate_database_login"),
        ("dev-alice", "logs:PutLogEvents", "logs:eu-west-2:1:log-group:/aws/lambda/totes-{}-load:log-stream:a-1"),
        ("dev-alice", "logs:DescribeLogStreams", "logs:eu-west-2:1:log-group:/aws/lambda/totes-{}-load:log-stream:"),
        ("dev-alice", "logs:PutLogEvents", "logs:eu-west-2:1:log-group:/totes/{}/network:log-stream:a-1"),
        ("dev-alice", "sqs:SendMessage", "sqs:eu-west-2:1:totes-{}-dead-letters"),
        ("dev-alice", "states:StartExecution", "states:eu-west-2:1:stateMachine:totes-{}"),
        ("dev-alice", "states:StopExecution", "states:eu-west-2:1:execution:totes-{}:x"),
        ("dev-alice", "states:StopExecution", "states:eu-west-2:1:execution:totes-{}/Pieces:x"),
        ("development", "states:StartExecution", "states:eu-west-2:1:stateMachine:totes-{}"),
        ("development", "states:StopExecution", "states:eu-west-2:1:execution:totes-{}:x"),
        ("development", "states:StopExecution", "states:eu-west-2:1:execution:totes-{}/Pieces:x"),
    ],
)
def test_the_boundary_ends_at_an_environment_whose_name_begins_alike(
    dev: Synthesised, other: str, action: str, resource: str
) -> None:
    most = [boundary(dev.folder, "dev").document]
    uses = {each for one in json.loads(most[0])["Statement"] if one["Effect"] == "Allow" for each in one["Action"]}
    assert action in uses
    assert not decide(most, action, f"arn:aws:{resource.format(other)}").allowed
    assert decide(most, action, f"arn:aws:{resource.format('dev')}").allowed, "its own it may"


def test_cloudformation_makes_no_topic_queue_or_state_machine_of_an_environment_whose_name_begins_alike(
    dev: Synthesised,
) -> None:
    made = documents(policies(dev.folder, "dev"))
    for kind, action in {
        "AWS::SNS::Topic": "sns:DeleteTopic",
        "AWS::SQS::Queue": "sqs:DeleteQueue",
        "AWS::StepFunctions::StateMachine": "states:DeleteStateMachine",
    }.items():
        [arn] = [arn for of, arn in named(dev) if of == kind]
        assert decide(made, action, arn).allowed
        assert not decide(made, action, arn.replace("totes-dev", "totes-dev-alice")).allowed


def test_rds_makes_the_masters_secret_as_who_makes_the_instance(prod: Synthesised) -> None:
    """It has no tag yet when that is asked, and nobody but RDS may give it one that begins with aws:."""
    made = documents(policies(prod.folder, "prod"))
    for action in ("secretsmanager:CreateSecret", "secretsmanager:TagResource"):
        assert decide(made, action, MASTER, tags={}).allowed
    for action in (VALUE, "secretsmanager:PutSecretValue", "secretsmanager:DeleteSecret"):
        assert not decide(made, action, MASTER, tags=of_instance("totes-prod-data-warehouse-x1y2")).allowed


def test_on_everything_is_allowed_what_knows_no_name_alone(prod: Synthesised) -> None:
    """Beside EC2's, which the documentation names, what is read, and little else."""
    wide = {action for each in statements(prod) if "*" in each["Resource"] for action in each["Action"]}
    changes = {action for action in wide if not action.split(":")[1].startswith(READS)}
    assert {action for action in changes if not action.startswith("ec2:")} == {
        "cognito-identity:CreateIdentityPool",
        "cognito-idp:CreateUserPool",
        "kms:CreateGrant",
        "lambda:DeleteLayerVersion",
        "lambda:PublishLayerVersion",
        *(f"logs:{verb}LogDelivery" for verb in ("Create", "Delete", "Update")),
        "logs:PutResourcePolicy",
    }


def test_all_that_a_role_does_is_within_the_boundary(deployed: Synthesised) -> None:
    made = [boundary(deployed.folder, deployed.name).document]
    an_arn = {arn.split(":")[2]: arn for _, arn in named(deployed)}
    an_arn["logs"] += ":log-stream:today"
    an_own_tag = {"aws:ResourceTag/totes:environment": deployed.name}
    for logical_id in deployed.resources("AWS::IAM::Role"):
        for action, resource in deployed.permissions({"Fn::GetAtt": [logical_id, "Arn"]}):
            asked = an_arn[action.split(":")[0]] if "<" in resource else resource
            tags = an_own_tag if asked == an_arn["secretsmanager"] else {}
            assert decide(made, action, asked, tags=tags).allowed, (logical_id, action, resource, asked)


def test_the_boundary_holds_nothing_by_which_a_role_gets_more(prod: Synthesised) -> None:
    allowed = [each for each in boundary(prod.folder, "prod").statements if each["Effect"] == "Allow"]
    actions = {action for each in allowed for action in each["Action"]}
    assert not [
        action for action in actions if action.startswith(("iam:", "sts:", "organizations:", "cloudformation:"))
    ]
    assert not [action for action in actions if "*" in action]


def test_every_policy_is_one_that_iam_takes(every: dict[str, Synthesised], tmp_path: Path) -> None:
    made = {
        f"{name}, {policy.name}": policy
        for name, each in every.items()
        for policy in (*policies(each.folder, each.name), boundary(each.folder, each.name))
    }
    assert [name for name, policy in made.items() if len(policy.document) > MOST_CHARACTERS] == []
    assert lint(list(made.values()), tmp_path) == ""


def test_an_action_that_there_is_not_would_be_found(tmp_path: Path) -> None:
    odd = {"Effect": "Allow", "Action": ["s3:CreateBuckets"], "Resource": ["*"]}
    assert "CreateBuckets" in lint([Policy("odd", [odd])], tmp_path).lower().replace("createbuckets", "CreateBuckets")


def lint(made: list[Policy], folder: Path) -> str:
    """What cfn-lint, which knows every service's actions, finds in policies."""
    resources = {
        f"Policy{number}": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"PolicyDocument": json.loads(policy.document)},
        }
        for number, policy in enumerate(made)
    }
    file = folder / "policies.json"
    file.write_text(json.dumps({"Resources": resources}))
    program = Path(sys.executable).with_name("cfn-lint")
    return subprocess.run([program, "--", file], capture_output=True, text=True, check=False).stdout


def test_every_role_carries_the_boundary_where_the_configuration_says_so(store: Path, prod: Synthesised) -> None:
    bounded = synthesise(production().within_boundary(), store)
    roles = bounded.resources("AWS::IAM::Role").values()
    assert {bounded.said(role["Properties"]["PermissionsBoundary"]) for role in roles} == {
        "arn:<AWS::Partition>:iam::<AWS::AccountId>:policy/totes-prod-boundary"
    }
    assert not any("PermissionsBoundary" in role["Properties"] for role in prod.resources("AWS::IAM::Role").values())


def test_the_roles_by_which_github_deploys_are_made_before_and_carry_none(tmp_path: Path) -> None:
    template = deployer(tmp_path, config.named("dev").within_boundary())
    roles = [each for each in template["Resources"].values() if each["Type"] == "AWS::IAM::Role"]
    assert len(roles) == 2
    assert not any("PermissionsBoundary" in role["Properties"] for role in roles)


def test_the_command_writes_a_file_a_policy(tmp_path: Path) -> None:
    answer = totes("bootstrap-policy", "--env", "dev-alice", "--into", "policies", folder=tmp_path)
    assert answer.code == 0, answer.err
    files = sorted(file.name for file in (tmp_path / "policies").iterdir())
    assert files == [
        "totes-dev-alice-boundary.json",
        "totes-dev-alice-cloudformation-1.json",
        "totes-dev-alice-cloudformation-2.json",
        "totes-dev-alice-cloudformation-3.json",
    ]
    for file in files:
        assert json.loads((tmp_path / "policies" / file).read_text())["Version"] == "2012-10-17"
        assert file.removesuffix(".json") in answer.out
