"""Tests that share something dear run in one worker: seen here, for a runner that ignores it says nothing."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("grouped")
def test_the_runner_knows_which_tests_belong_together(request: pytest.FixtureRequest) -> None:
    by_groups = getattr(request.config.option, "loadgroup", False)  # of a worker under `--dist loadgroup`

    assert request.node.nodeid.endswith("@grouped") == by_groups
