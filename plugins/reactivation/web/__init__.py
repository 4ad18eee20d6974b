"""The pages: where a signer reads exactly what he is asked to sign. They show and never change anything but the record
of who looked."""

from reactivation.web.app import create_app

__all__ = ["create_app"]
