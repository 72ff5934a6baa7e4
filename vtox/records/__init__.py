"""What is kept and reported: history, reports, notification, backup."""
