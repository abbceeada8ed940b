"""Tests which answers the checks accept: broken solutions, and right answers in other styles."""
