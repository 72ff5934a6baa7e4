"""`make hosts`: several hosts on one box, and the losses while they are cut off and stopped."""
