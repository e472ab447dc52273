"""Who may read the dashboard's data: only people whom an administrator has invited."""

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.checks import acknowledge
from stacks.constructs.permissions import read_objects
from stacks.environment import Environment
from totes.names import DATA

_ISSUER = "cognito-identity.amazonaws.com"
_LEAST_CHARACTERS = 12
_INVITED_FOR = cdk.Duration.days(7)
_TOKENS_LIVE = cdk.Duration.minutes(15)  # a token is used once, to get credentials that are valid for an hour
_SIGNED_IN_FOR = cdk.Duration.hours(12)  # a working day; then the page asks for the password again


class SignIn(Construct):
    """A user pool that only administrators add people to, and an identity pool that gives them the right to read.

    The browser gets a token for a password, and for the token the identity pool gives it credentials of a role that may
    fetch the objects of one folder. No server of totes is in between, so none sees a password.

    Attributes:
        users: the id of the user pool.
        client: the id by which the page speaks to the user pool; no secret.
        identities: the id of the identity pool.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        bucket: s3.IBucket,
        address: str,
    ) -> None:
        """Make it.

        Args:
            scope: the stack.
            id: its name there.
            environment: the environment.
            bucket: the bucket, of which the snapshots may be read.
            address: the address of the page, without https://, for the invitation mail.
        """
        super().__init__(scope, id)
        pool = self._user_pool(environment, address)
        client = cognito.UserPoolClient(
            self,
            "Client",
            user_pool=pool,
            user_pool_client_name="dashboard",
            generate_secret=False,
            auth_flows=cognito.AuthFlow(user_password=True),
            disable_o_auth=True,
            prevent_user_existence_errors=True,
            supported_identity_providers=[cognito.UserPoolClientIdentityProvider.COGNITO],
            access_token_validity=_TOKENS_LIVE,
            id_token_validity=_TOKENS_LIVE,
            refresh_token_validity=_SIGNED_IN_FOR,
            enable_token_revocation=True,
        )
        identities = cognito.CfnIdentityPool(
            self,
            "Identities",
            identity_pool_name=f"totes-{environment.name}",
            allow_unauthenticated_identities=False,
            allow_classic_flow=False,
            cognito_identity_providers=[
                cognito.CfnIdentityPool.CognitoIdentityProviderProperty(
                    client_id=client.user_pool_client_id,
                    provider_name=pool.user_pool_provider_name,
                    server_side_token_check=True,  # a person who was removed gets no more credentials
                )
            ],
        )
        cognito.CfnIdentityPoolRoleAttachment(
            self,
            "Roles",
            identity_pool_id=identities.ref,
            roles={"authenticated": self._reader(environment, bucket, identities.ref).role_arn},
        )
        self.users = pool.user_pool_id
        self.client = client.user_pool_client_id
        self.identities = identities.ref

    def _user_pool(self, environment: Environment, address: str) -> cognito.UserPool:
        pool = cognito.UserPool(
            self,
            "Users",
            user_pool_name=f"totes-{environment.name}",
            feature_plan=cognito.FeaturePlan.LITE,
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            keep_original=cognito.KeepOriginalAttrs(email=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            mfa=cognito.Mfa.OFF,
            password_policy=cognito.PasswordPolicy(
                min_length=_LEAST_CHARACTERS,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
                temp_password_validity=_INVITED_FOR,
            ),
            user_invitation=cognito.UserInvitationConfig(
                email_subject="Your access to the shop's dashboard",
                email_body=(
                    f"The dashboard is at https://{address}/<br><br>"
                    "Sign in as {username} with the password {####} and choose one of your own. "
                    f"This one is good for {_INVITED_FOR.to_days():.0f} days."
                ),
            ),
            deletion_protection=environment.protected,
            removal_policy=environment.data_removal,
        )
        acknowledge(
            pool,
            "COG2",
            reason="The page asks for a password alone. What it opens has of people only names, and can only be read.",
        )
        acknowledge(
            pool,
            "COG8",
            reason="Threat protection is part of the plan Plus, which costs for each user; here nobody signs up, and "
            "Cognito itself locks out who guesses.",
        )
        return pool

    def _reader(self, environment: Environment, bucket: s3.IBucket, identities: str) -> iam.Role:
        reading = read_objects(bucket, DATA.removesuffix("/"))
        role = iam.Role(
            self,
            "Reader",
            description=f"What who has signed in to the dashboard of totes-{environment.name} may do",
            max_session_duration=cdk.Duration.hours(1),
            assumed_by=iam.WebIdentityPrincipal(
                _ISSUER,
                {
                    "StringEquals": {f"{_ISSUER}:aud": identities},
                    "ForAnyValue:StringLike": {f"{_ISSUER}:amr": "authenticated"},
                },
            ),
            inline_policies={"read": iam.PolicyDocument(statements=reading.statements)},
        )
        reading.acknowledge_on(role)
        return role
