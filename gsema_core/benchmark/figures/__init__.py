"""The benchmark's figures; they need the optional extra ``benchmark``."""
