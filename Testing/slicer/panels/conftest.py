"""What the worker is told by the panel."""

from __future__ import annotations

import pytest


@pytest.fixture
def sent(panel, make_balls, spin, monkeypatch):
    """What the worker is told when Segment is pressed."""

    def press():
        requests = []
        submit = panel.logic._client.submit
        monkeypatch.setattr(
            panel.logic._client,
            "submit",
            lambda command, **named: requests.append(named) or submit(command, **named),
        )
        panel.ui.inputSelector.setCurrentNode(make_balls())
        panel.ui.segmentButton.click()
        spin(lambda: not panel.logic.isRunning)
        return requests[0]

    return press
