"""NAT instances: the way out of a network at a fifth of a NAT gateway's price.

The CDK's own (`ec2.NatProvider.instance_v2`) lets everybody in, has a role and an open metadata service, loses its
address when it is replaced, and its script sometimes fails: https://github.com/aws/aws-cdk/issues/36717
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from stacks.checks import acknowledge
from stacks.environment import Environment
from stacks.settings.generations import generation_of

INSTANCE_TYPE = "t4g.nano"
DISK_GIB = 8
"""As large as the image."""

CPU_CREDITS = "unlimited"
"""A T4g begins without credits, so a standard one boots at a tenth of a core, and nobody gets out meanwhile. What it
uses then is earned back within hours, at no cost:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances-unlimited-mode-concepts.html"""

_IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
_PATCH_DAYS = ("Sun", "Wed")
"""The day on which each zone's instance is patched: a bad patch then stops only one of two zones."""

_MINUTES_OUT_OF_ORDER = 5

_SCRIPT = """\
#!/bin/bash
# dnf wants more memory than there is: https://github.com/amazonlinux/amazon-linux-2023/issues/404
dd if=/dev/zero of=/swap bs=1M count=1024
chmod 600 /swap
mkswap /swap
swapon /swap
echo '/swap none swap defaults 0 0' >> /etc/fstab

cat > /etc/sysctl.d/90-nat.conf <<'EOF'
net.ipv4.ip_forward = 1
EOF
sysctl --load=/etc/sysctl.d/90-nat.conf

# Packages come from S3, through the network's endpoint. What starts beside this empties dnf's cache at times.
until dnf --assumeyes install iptables-services; do sleep 5; done
cat > /etc/sysconfig/iptables <<'EOF'
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s {cidr} ! -d {cidr} -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -s {cidr} ! -d {cidr} -p tcp -j ACCEPT
COMMIT
EOF
systemctl enable --now iptables
systemctl disable --now sshd

# An image is bound to its day's packages: https://docs.aws.amazon.com/linux/al2023/ug/deterministic-upgrades.html
cat > /etc/systemd/system/patch.service <<'EOF'
[Service]
Type=oneshot
ExecStart=/usr/bin/dnf --assumeyes --releasever=latest upgrade
ExecStartPost=/usr/bin/systemctl --no-block reboot
EOF
cat > /etc/systemd/system/patch.timer <<'EOF'
[Timer]
OnCalendar={day} 05:00 UTC
[Install]
WantedBy=timers.target
EOF
systemctl daemon-reload
systemctl enable --now patch.timer
"""


class NatInstances(Construct):
    """An instance in each of some zones, which lets through only the functions that need it.

    It has no role and no key, and nobody logs in to it: one that fails is rebooted, or replaced by the next deployment.
    A deployment makes a new one before it deletes the old one, and moves the address to it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's word
        *,
        environment: Environment,
        vpc: ec2.Vpc,
        cidr: str,
        zones: int,
        generation: int,
        ports: Mapping[ec2.SecurityGroup, Sequence[int]],
    ) -> None:
        """Put instances into the public subnets, and route the private subnets through them.

        Args:
            scope: as for every construct.
            id: as for every construct.
            environment: the environment.
            vpc: the network, which has no other way out.
            cidr: its addresses.
            zones: how many of its zones get an instance.
            generation: which of the environment's networks it is.
            ports: the ports on which the members of each group connect to the outside.
        """
        super().__init__(scope, id)
        self._environment = environment
        self._vpc = vpc
        self._cidr = cidr
        self._generation = generation
        self._group = self._let_through(ports)
        self._image = ec2.MachineImage.from_ssm_parameter(_IMAGE).get_image(self).image_id
        instances = [self._instance(number) for number in range(zones)]
        for number, instance in enumerate(instances, start=1):
            self._reboot_what_hangs(number, instance)
        for number, subnet in enumerate(vpc.private_subnets):
            # Scope and ids are those of the CDK's NAT gateways, so that either can replace the other.
            cast("ec2.Subnet", subnet).add_route(
                "DefaultRoute",
                router_type=ec2.RouterType.INSTANCE,
                router_id=instances[number % zones].ref,
                enables_internet_connectivity=True,
            )
        for subnet, instance in zip(vpc.public_subnets, instances, strict=False):
            # A change of this property moves the address, without any other interruption:
            # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-eip.html
            ec2.CfnEIP(cast("ec2.Subnet", subnet), "EIP", domain="vpc", instance_id=instance.ref)

    def let_in(self, clients: ec2.SecurityGroup, port: int) -> None:
        """Let the members of another group through, on a port that is open to some groups already."""
        self._group.add_ingress_rule(clients, ec2.Port.tcp(port), "On the way out")

    def _let_through(self, ports: Mapping[ec2.SecurityGroup, Sequence[int]]) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self,
            "Group",
            vpc=self._vpc,
            description=f"totes {self._environment.name}: The way out",
            allow_all_outbound=False,
        )
        for clients, theirs in ports.items():
            for port in theirs:
                group.add_ingress_rule(clients, ec2.Port.tcp(port), "Functions on their way out")
        for port in sorted({port for theirs in ports.values() for port in theirs}):
            group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "On behalf of functions")
        return group

    def _instance(self, number: int) -> ec2.CfnInstance:
        subnet = self._vpc.public_subnets[number]
        script = _SCRIPT.format(cidr=self._cidr, day=_PATCH_DAYS[number])
        # A script runs once, when an instance starts: a changed script needs a new instance.
        digest = hashlib.sha256(script.encode()).hexdigest()[:8]
        instance = ec2.CfnInstance(
            self,
            f"Instance{number + 1}{digest}",
            image_id=self._image,
            instance_type=INSTANCE_TYPE,
            subnet_id=subnet.subnet_id,
            security_group_ids=[self._group.security_group_id],
            source_dest_check=False,  # what it forwards has other sources and destinations
            credit_specification=ec2.CfnInstance.CreditSpecificationProperty(cpu_credits=CPU_CREDITS),
            metadata_options=ec2.CfnInstance.MetadataOptionsProperty(
                http_tokens="required", http_put_response_hop_limit=1
            ),
            block_device_mappings=[
                ec2.CfnInstance.BlockDeviceMappingProperty(
                    device_name="/dev/xvda",  # the root of every Amazon Linux
                    ebs=ec2.CfnInstance.EbsProperty(
                        encrypted=True, volume_type="gp3", volume_size=DISK_GIB, delete_on_termination=True
                    ),
                )
            ],
            user_data=cdk.Fn.base64(script),
            # A stack's tags do not reach a volume that comes of a mapping; the instance's own do:
            # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-resource-tags.html
            propagate_tags_to_volume_on_creation=True,
        )
        tags = {**self._environment.all_tags, "Name": f"totes-{self._environment.name}-nat-{number + 1}"}
        for key, value in tags.items():
            cdk.Tags.of(instance).add(key, value)
        instance.node.add_dependency(subnet.internet_connectivity_established, self._vpc.node.find_child("S3"))
        acknowledge(
            instance,
            "EC26",
            reason="Its disk is encrypted. The rule looks for the instance's launch template, and stumbles where the "
            "stack has one of something else, the tunnel's.",
        )
        acknowledge(instance, "EC28", reason="Status checks are measured each minute without it, for nothing.")
        acknowledge(instance, "EC29", reason="It holds nothing: whatever ends it, a deployment makes another.")
        return instance

    def _reboot_what_hangs(self, number: int, instance: ec2.CfnInstance) -> None:
        """Have an alarm reboot an instance that hangs; EC2 itself moves it away from failing hardware.

        The alarm mails nobody: a run that cannot get out fails, and that has an alarm. It cannot be in the stack of the
        other alarms, which would import the instance: what another stack imports cannot be replaced.
        """
        name = generation_of(f"totes-{self._environment.name}-nat", self._generation, "-network-")
        alarm = cloudwatch.Alarm(
            self,
            f"Hangs{number}",
            alarm_name=f"{name}-{number}",
            alarm_description="A NAT instance does not answer, and is rebooted. What to do: docs/runbook.md#nat",
            metric=cloudwatch.Metric(
                namespace="AWS/EC2",
                metric_name="StatusCheckFailed_Instance",
                dimensions_map={"InstanceId": instance.ref},
                statistic="Maximum",
                period=cdk.Duration.minutes(1),
            ),
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=_MINUTES_OUT_OF_ORDER,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.Ec2Action(actions.Ec2InstanceAction.REBOOT))
