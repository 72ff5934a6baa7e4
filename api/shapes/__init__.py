"""What is shown, made of what is stored: alarms, reasons in words, metrics."""
