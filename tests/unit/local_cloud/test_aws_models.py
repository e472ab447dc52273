"""What botocore knows of AWS is read once, whoever reads it."""

from pathlib import Path

import botocore.session
import pytest

from local_cloud import aws_models


def test_what_one_session_has_read_another_does_not_read_again() -> None:
    first, second = aws_models.shared_loader(), aws_models.shared_loader()
    assert first.load_data("endpoints") is second.load_data("endpoints")
    assert first.load_service_model("sqs", "service-2")["metadata"]["serviceId"] == "SQS"


def test_every_session_shares_it_unless_it_reads_other_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(botocore.session, "create_loader", botocore.session.create_loader)
    aws_models.share_with_all()
    one, another = botocore.session.Session(), botocore.session.Session()
    apart = botocore.session.Session(session_vars={"data_path": (None, None, str(tmp_path), None)})
    read = [each.get_component("data_loader").load_data("endpoints") for each in (one, another, apart)]
    assert read[0] is read[1]
    assert read[2] is not read[0]
    assert read[2] == read[0]
    assert str(tmp_path) in apart.get_component("data_loader").search_paths
