"""The MCP server: what assistants may ask about the fleet."""
