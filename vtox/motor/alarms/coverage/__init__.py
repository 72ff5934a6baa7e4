"""What a machine is watched for, what VTOX is blind to there, and what would unlock it."""
