"""The search for a maximum, and its honest failures."""

from __future__ import annotations

import numpy as np
import pytest

from reactivation.science.arrays import Floats
from reactivation.science.likelihood import Maximum, NoFit, maximise

CUSTOMERS = 1000
START = np.ones(2)


def test_a_maximum_is_found_on_the_logarithms() -> None:
    """Steep in one parameter and flat in the other, far from the start."""
    at = np.array([-3.0, 5.0])

    def hill(parameters: Floats) -> tuple[float, Floats]:
        off = (np.log(parameters) - at) * [1.0, 0.01]
        return -CUSTOMERS * float(off @ off), -2 * CUSTOMERS * off * [1.0, 0.01] / parameters

    found = maximise(hill, START, CUSTOMERS)
    assert isinstance(found, Maximum)
    assert np.log(found.parameters) == pytest.approx(at, abs=1e-3)
    assert found.log_likelihood == pytest.approx(0, abs=1e-6)


def test_a_likelihood_that_grows_without_end_has_none() -> None:
    """Ever larger is ever likelier: the edge of the search is no answer."""

    def slope(parameters: Floats) -> tuple[float, Floats]:
        return CUSTOMERS * float(np.log(parameters).sum()), CUSTOMERS / parameters

    found = maximise(slope, START, CUSTOMERS)
    assert isinstance(found, NoFit)
    assert found.why == "at_the_edge"


def test_a_search_that_does_not_settle_is_no_fit() -> None:
    """At a ridge the slope is never flat, and what was found last is not given out."""

    def ridge(parameters: Floats) -> tuple[float, Floats]:
        off = np.log(parameters) - 0.3
        return -CUSTOMERS * float(np.abs(off).sum()), -CUSTOMERS * np.sign(off) / parameters

    found = maximise(ridge, START, CUSTOMERS)
    assert isinstance(found, NoFit)
    assert found.why == "no_convergence"
    assert "after 2 searches" in found.sentence
