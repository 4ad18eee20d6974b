"""Where a person reads what he is asked to sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

#: Below this path Airflow serves our pages.
PREFIX = "/reactivation"


class PageLink(BaseOperatorLink):
    """What a question is about: a list with its exact bytes, or a report; with the signing code.

    A convenience: a user may edit where it leads, so the request's own text carries the link as well."""

    name = "The page"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The address the request wrote when it opened, or nothing."""
        from airflow.sdk.execution_time.xcom import XCom

        page = XCom.get_value(key=self.xcom_key, ti_key=ti_key)
        return page if isinstance(page, str) else ""
