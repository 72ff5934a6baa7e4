"""The maths against slow and plain versions and closed form."""
