"""The sections of the panel, and the texts that they show.

Each section is a class that gets the widgets and calls the logic. Files that end in Text make
sentences and change nothing.
"""
