"""How people are called."""


def display_name(birth_name: str, first_name: str) -> str:
    """Name, then first name, as the portal's pages show them."""
    return f"{birth_name} {first_name}".strip()
