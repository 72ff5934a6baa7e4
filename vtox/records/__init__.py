"""What is kept and told of: history, reports, notification, backup."""
