"""Where a person reads what a task is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

#: Below this path Airflow serves our pages.
PREFIX = "/reactivation"


class _OurPage(BaseOperatorLink):
    """A page of ours, as the task wrote it when it ran. A convenience: a user may edit where it leads."""

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The address, or nothing."""
        from airflow.sdk.execution_time.xcom import XCom

        page = XCom.get_value(key=self.xcom_key, ti_key=ti_key)
        return page if isinstance(page, str) else ""


class PageLink(_OurPage):
    """What a question is about: a list with its exact bytes, or a report; with the signing code. The request's own text
    carries the link as well."""

    name = "The page"


class ReportLink(_OurPage):
    """Why the data is not ready. Nothing where it is."""

    name = "Readiness report"
