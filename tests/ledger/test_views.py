"""Who looked at what, and the counts the pages show."""

from __future__ import annotations

from sqlalchemy import update
from tests.approvals import books
from tests.approvals.asked import NOW

from reactivation.ledger import views
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import lists


class TestViews:
    def test_views_add_up_for_each_user(self, ledger: Ledger) -> None:
        """Pages looked at one after the other make one set."""
        with ledger.begin() as conn:
            books.add_run(conn)
            for n in (1, 2, 3):
                books.add_touch(conn, n)
            books.add_list(conn, "l-1", 1, 2, 3)
            for view, user, seen in (("v-1", "ada", ["t-1"]), ("v-2", "ada", ["t-1", "t-2"]), ("v-3", "ben", ["t-3"])):
                views.insert_view(conn, view_id=view, list_id="l-1", user_id=user, touch_ids=seen, now=NOW)

            assert views.views_of(conn, "l-1") == {"ada": frozenset({"t-1", "t-2"}), "ben": frozenset({"t-3"})}

    def test_a_customers_reasons_lie_in_the_run_that_enrolled_him(self, ledger: Ledger) -> None:
        """The page finds why somebody is on a list, also when a later run drafted it."""
        with ledger.begin() as conn:
            books.add_run(conn)
            books.add_run(conn, "run-2")
            books.add_touch(conn, 1, draft_run_id="run-2")
            books.add_list(conn, "l-1", 1, run_id="run-2")

            assert views.deciding_runs(conn, "l-1") == {"c-1": books.RUN}


class TestOpenLists:
    def test_sizes_and_signers_of_open_lists_only(self, ledger: Ledger) -> None:
        """What is closed is not counted any more."""
        with ledger.begin() as conn:
            books.add_run(conn)
            for n in (1, 2, 3, 4):
                books.add_touch(conn, n)
            books.add_list(conn, "l-1", 1, 2, 3, individual=(2,))
            books.add_list(conn, "l-2", 4)
            conn.execute(update(lists).where(lists.c.list_id == "l-2").values(state="held", closed_at=NOW))

            assert views.open_list_sizes(conn) == {"l-1": (3, 1)}
            assert views.open_list_signers(conn) == {"l-1": frozenset({"ada", "ben"})}
