"""One subcommand of ``gsema`` a file: HELP, add_arguments(parser), run(arguments)."""
