"""PythonQt's semantics on PySide6."""
