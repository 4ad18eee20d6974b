"""The one door to the outside: a recipient's way out, and what providers tell. A process of its own.

Never mounted in Airflow: it knows nothing of Airflow, has no login, and acts only on what carries a signature: a token
of ours, or a provider's. It never shows anything about anybody.
"""

from reactivation.public.app import create_app
from reactivation.public.serving import serve

__all__ = ["create_app", "serve"]
