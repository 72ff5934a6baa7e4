"""Alarms sent to others: webhooks and chats, by rules, from an outbox in SQL."""
