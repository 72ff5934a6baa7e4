"""What several commands share: options, tables, the connection, who acts."""
