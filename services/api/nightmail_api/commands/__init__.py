"""The commands of the API: change jobs, request runs, erase, preview."""
