"""`make hosts`: several hosts on one box, and what is lost while they are cut off and stopped."""
