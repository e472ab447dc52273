"""Who may deploy from GitHub, and with which rights. A person deploys this stack by hand, once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct, Node

from stacks.environment import Environment
from stacks.stack import TotesStack

_ISSUER = "token.actions.githubusercontent.com"
_AUDIENCE = "sts.amazonaws.com"
_BRANCH = "refs/heads/main"
_NAMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+")
_NAMES_AND_IDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*@[0-9]+/[A-Za-z0-9._-]+@[0-9]+")
_PROVIDER = re.compile(rf"arn:aws[a-z-]*:iam::[0-9]{{12}}:oidc-provider/{re.escape(_ISSUER)}")


@dataclass(frozen=True, kw_only=True)
class GitHub:
    """The repository that deploys, as its tokens name it.

    Attributes:
        repository: OWNER/REPO, or OWNER@ID/REPO@ID if GitHub's tokens have the ids too.
        provider: the ARN of the account's identity provider for GitHub; None: there is none yet, and the stack makes
            one.
    """

    repository: str
    provider: str | None = None

    def __post_init__(self) -> None:
        if not (_NAMES.fullmatch(self.repository) or _NAMES_AND_IDS.fullmatch(self.repository)):
            raise ValueError(
                f"{self.repository!r} is no GitHub repository; say -c github=OWNER/REPO, "
                "or -c github=OWNER@ID/REPO@ID where its tokens carry the ids"
            )
        if self.provider is not None and not _PROVIDER.fullmatch(self.provider):
            raise ValueError(
                f"{self.provider!r} is no identity provider for GitHub; say -c github_oidc_provider=ARN with what "
                f"`aws iam list-open-id-connect-providers` prints that ends in {_ISSUER}"
            )

    @classmethod
    def from_context(cls, node: Node) -> "GitHub | None":
        """The repository that the context names, or None if it names none; raise ValueError if it is not valid."""
        repository, provider = node.try_get_context("github"), node.try_get_context("github_oidc_provider")
        if repository is None:
            if provider is not None:
                raise ValueError("-c github_oidc_provider=ARN is for a repository; say -c github=OWNER/REPO with it")
            return None
        return cls(repository=str(repository), provider=provider)

    def subject(self, context: str) -> str:
        """The subject in the tokens of a job that runs in a context, such as `pull_request`."""
        return f"repo:{self.repository}:{context}"


class DeployerStack(TotesStack):
    """The roles of a repository's workflows. They may only assume roles that `cdk bootstrap` made.

    totes-<environment>-deploy is for jobs of branch main that run in the GitHub environment called <environment>, whose
    settings decide who approves. totes-<environment>-diff is for pull requests; it changes nothing.
    """

    def __init__(self, scope: Construct, environment: Environment, *, github: GitHub) -> None:
        super().__init__(
            scope,
            "deployer",
            environment=environment,
            description="totes: who may deploy it from GitHub",
            may_be_bounded=False,  # a person makes these roles beforehand, and they only assume others
        )
        self._github = github
        self._provider = github.provider or self._new_provider()
        self._role(
            "Deploy",
            name=f"totes-{environment.name}-deploy",
            description=f"What a job in the GitHub environment {environment.name} may do",
            context=f"environment:{environment.name}",
            branch=_BRANCH,
            becomes=("deploy", "file-publishing", "lookup"),
        )
        self._role(
            "Diff",
            name=f"totes-{environment.name}-diff",
            description=f"What a pull request may do to compare itself with totes-{environment.name}",
            context="pull_request",
            becomes=("lookup",),
        )

    def _new_provider(self) -> str:
        # All that deploys from GitHub in the account uses it, so it outlives the stack that has made it.
        return iam.OidcProviderNative(
            self,
            "GitHub",
            url=f"https://{_ISSUER}",
            client_ids=[_AUDIENCE],
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        ).oidc_provider_arn

    def _role(
        self, key: str, *, name: str, description: str, context: str, becomes: Sequence[str], branch: str | None = None
    ) -> None:
        claims = {"aud": _AUDIENCE, "sub": self._github.subject(context)}
        if branch is not None:
            # A subject that names an environment names no branch, so the branch is a condition of its own here; else
            # only the environment's rules would check it.
            # https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims/
            claims["ref"] = branch
        conditions = {"StringEquals": {f"{_ISSUER}:{claim}": said for claim, said in claims.items()}}
        iam.Role(
            self,
            key,
            role_name=name,
            description=description,
            max_session_duration=cdk.Duration.hours(1),
            assumed_by=iam.WebIdentityPrincipal(self._provider, conditions),
            inline_policies={
                "become": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["sts:AssumeRole"], resources=[self._bootstrapped(each) for each in becomes]
                        )
                    ]
                )
            },
        )

    def _bootstrapped(self, purpose: str) -> str:
        """The ARN of a role that `cdk bootstrap` made for this account, region and qualifier."""
        qualifier = self.synthesizer.bootstrap_qualifier
        return self.format_arn(
            service="iam",
            region="",
            resource="role",
            resource_name=f"cdk-{qualifier}-{purpose}-role-{self.account}-{self.region}",
        )
