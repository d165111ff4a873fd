"""Fits of odd tables: each ends in finite numbers, or in an error that a check raised."""
