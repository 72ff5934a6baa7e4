"""The navigation of the pages: the same links on each, the one that is open marked."""

# Address -> the text of its link.
LINKS = {
    "/": "common.all_machines",
    "/alarms": "alarms.title",
    "/figures": "figures.title",
    "/energy": "energy.title",
    "/cluster": "common.cluster",
    "/docs": "common.api",
}
SIGN_OUT = '<form method="post" action="/sign-out"><button>{{ common.sign_out }}</button></form>'


def navigation(path: str, *, in_session: bool) -> str:
    """Return the links as HTML with places for texts; in a session with a way out."""
    links = "".join(_link(address, text, path) for address, text in LINKS.items())
    way_out = SIGN_OUT if in_session else ""
    return f'<nav aria-label="{{{{ common.pages }}}}">{links}{{{{ languages }}}}{way_out}</nav>'


def _link(address: str, text: str, path: str) -> str:
    current = ' aria-current="page"' if address == path else ""
    return f'<a href="{address}"{current}>{{{{ {text} }}}}</a>'
