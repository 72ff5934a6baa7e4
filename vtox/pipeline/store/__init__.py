"""Everything that is kept in Redis or Valkey, and the scripts that change it atomically."""
