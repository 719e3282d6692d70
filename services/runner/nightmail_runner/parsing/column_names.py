"""The names of columns: never empty, each once."""


def name_columns(fields: list[str], notes: list[str], place: str) -> list[str]:
    """Return unique names for the columns, as pandas makes them unique; what was changed is a note.

    Args:
        place: where the header stands in the user's file: `line 1`.
    """
    names: list[str] = []
    taken: set[str] = set()
    for position, name in enumerate(fields):
        own = name.strip()
        if not own:
            own = f"Unnamed: {position}"
            notes.append(f"{place}: column {position + 1} has no name; it is {own!r} here")
        elif own != name:
            notes.append(f"{place}: the column name {name!r} has spaces at its ends; it is {own!r} here")
        unique, number = own, 0
        while unique in taken:
            number += 1
            unique = f"{own}.{number}"
        if unique != own:
            notes.append(f"{place}: the column name {own!r} is there twice; column {position + 1} is {unique!r} here")
        names.append(unique)
        taken.add(unique)
    return names
