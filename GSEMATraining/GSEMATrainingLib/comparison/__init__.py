"""The new teacher against the one it began as (Comparison, Report), and into the list of teachers
(Registration)."""
