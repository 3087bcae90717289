#!/usr/bin/env python3
"""notes.py URL...: has REDbot look at each, and prints what it notes: status, URL, level, note and summary, between tabs.

REDbot asks for each several times: as it is, coded by gzip, for a part, with its tag, with its date."""

import sys
from configparser import ConfigParser

import thor
from redbot.resource import HttpResource

# Longest wait for all of it, in seconds. Reached only when something is wrong.
PATIENCE = 60

config = ConfigParser()
config.read_dict({"redbot": {"enable_local_access": "True"}})
waiting = list(sys.argv[1:])


def look() -> None:
    """Looks at the next one. One after the other, so that the notes come in order."""
    if not waiting:
        thor.stop()
        return
    url = waiting.pop(0)
    resource = HttpResource(config["redbot"])
    resource.set_request(url)

    @thor.events.on(resource)
    def check_done() -> None:
        say(url, resource)
        thor.schedule(0, look)

    resource.check()


def say(url: str, resource: HttpResource) -> None:
    response = resource.response
    if not response.complete:
        sys.exit(f"{url}: no answer: {resource.fetch_error}")
    notes = list(response.notes)
    notes += [note for one in notes for note in one.subnotes]
    for note in notes:
        print(response.status_code, url, note.level.name, type(note).__name__, note.summary, sep="\t")
    # None: not looked for. A check that could not be made is no good sign either.
    for name, check in resource.subreqs.items():
        if check.fetch_started and not check.response.complete:
            sys.exit(f"{url}: the check {name} had no answer: {check.fetch_error}")


thor.schedule(PATIENCE, lambda: sys.exit("no end"))
thor.schedule(0, look)
thor.run()
