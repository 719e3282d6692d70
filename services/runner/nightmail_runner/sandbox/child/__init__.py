"""What runs inside the sandboxed child: parsing, the script, the CSV."""
