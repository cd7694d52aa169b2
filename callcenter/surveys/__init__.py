"""Surveys that the house itself sends by message after a contact: whom, when, how, and what comes back."""
