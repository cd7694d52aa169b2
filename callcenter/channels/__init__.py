"""Contacts that are no calls: messages, and whatever adapter brings e-mails, chats or tasks in."""
