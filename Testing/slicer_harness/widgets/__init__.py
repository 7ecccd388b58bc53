"""Stand-ins for the ctk and qMRML widgets that the modules use, and the facts they are held to."""
