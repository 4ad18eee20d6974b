"""The form holds codes only, and everything in it starts empty."""

from __future__ import annotations

from reactivation.approvals.form import POINT_ANSWERS, fields


class TestFields:
    def test_asks_for_the_code_the_exceptions_the_reason_and_each_review_point(self) -> None:
        """Every review point of the playbook is a field of its own, after the common ones."""
        names = [f.name for f in fields(["offer", "commercially_smart"])]

        assert names == ["signing_code", "left_out", "individual", "reason", "point_offer", "point_commercially_smart"]

    def test_an_empty_text_is_allowed_everywhere(self) -> None:
        """A default must satisfy its own field, or Airflow fails the task before anybody was asked."""
        assert all(not f.choices or "" in f.choices for f in fields(["offer"]))
        assert fields(["offer"])[-1].choices == POINT_ANSWERS
