"""The work in flight: rows of records, queues, refusals, quotas; and what is kept how long."""
