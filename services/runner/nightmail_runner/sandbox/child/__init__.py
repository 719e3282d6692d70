"""The code that runs inside a worker: parse the input, execute the script, write the CSV."""
