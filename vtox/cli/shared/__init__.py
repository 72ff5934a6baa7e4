"""Parts of several commands: options, tables, the connection, the actor."""
