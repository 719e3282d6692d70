"""Runs the supervisor, by which `nightmail up` replaces itself: `python -m nightmail_cli.local DESCRIPTOR`."""

from nightmail_cli.local.patches import leave_out_rich

leave_out_rich()

from nightmail_cli.local.supervisor import main  # noqa: E402 (see above)

main()
