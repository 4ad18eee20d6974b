"""No cell of a file is computed by a spreadsheet."""

from __future__ import annotations

import argparse
import csv
import io
from decimal import Decimal

import pytest

from reactivation.cli.output import print_rows
from reactivation.steps.spreadsheet import as_text


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-2", "@SUM(1)", " =1", "＝1", "\tx", "\r=1"])
def test_what_begins_a_formula_is_text(cell: str) -> None:
    """The apostrophe is what a spreadsheet takes off again."""
    assert as_text(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "c-1", "1=1", "O'Neill", "a@b.example"])
def test_everything_else_stays(cell: str) -> None:
    assert as_text(cell) == cell


def test_the_command_line_writes_ids_as_text_and_numbers_as_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """Ids come from sources; what is below zero is no formula."""
    row = {"customer_id": "=1+0000001", "rate": -0.4, "amount": Decimal("-1.50"), "codes": ["=x"], "none": None}
    print_rows(argparse.Namespace(json=False, csv=True), "", tuple(row), [row])

    (read,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert list(read.values()) == ["'=1+0000001", "-0.4", "-1.50", "'=x", ""]
