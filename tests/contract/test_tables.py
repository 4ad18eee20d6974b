"""The tables of the contract and of a snapshot."""

from __future__ import annotations

import pyarrow as pa
import pytest

from reactivation.contract.snapshot import ORDER, SNAPSHOT
from reactivation.contract.tables import TABLES, Table


@pytest.mark.parametrize("table", TABLES.values(), ids=str)
class TestTables:
    def test_the_key_is_a_required_text(self, table: Table) -> None:
        """Every row can be called by its key."""
        assert table.column(table.key).required
        assert table.schema.field(table.key) == pa.field(table.key, pa.string(), nullable=False)

    def test_what_forbids_is_a_code_of_its_column(self, table: Table) -> None:
        """A code that says no is one of the codes there are."""
        for column in table.columns:
            assert set(column.forbids) <= set(column.values)

    def test_an_unknown_column_is_named(self, table: Table) -> None:
        """A typo in a column's name says which table it is not in."""
        with pytest.raises(KeyError, match=table.name):
            table.column("shoe_size")


class TestSnapshot:
    def test_no_personal_column_leaves_the_people_file(self) -> None:
        """Names, addresses and notes are in ``people`` alone."""
        personal = {column for table in TABLES.values() for column in table.personal} - {"name"}
        for name, schema in SNAPSHOT.items():
            if name != "people":
                assert not personal & set(schema.names), name
        assert "name" not in SNAPSHOT["accounts"].names

    def test_raw_facts_are_no_file(self) -> None:
        """Purchases and engagements enter only as their summaries."""
        assert not {"purchases", "engagements"} & set(SNAPSHOT)

    def test_every_file_has_an_order_of_its_own_columns(self) -> None:
        """What the rows are ordered by is in them."""
        assert set(ORDER) == set(SNAPSHOT)
        for name, columns in ORDER.items():
            assert set(columns) <= set(SNAPSHOT[name].names)
