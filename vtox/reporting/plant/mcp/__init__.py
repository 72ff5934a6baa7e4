"""The MCP server: questions of assistants about the fleet."""
