"""The customer store over HTTP: everything under ``/api/v1`` that is about customers and their interactions."""

from crm_bridge.api.ports import Principal, Sessions
from crm_bridge.api.router import create_router

__all__ = ["Principal", "Sessions", "create_router"]
