"""What people and other systems read: history, reports, messages, tables, plant interfaces."""
