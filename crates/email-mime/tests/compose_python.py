"""Reads every *.eml of a directory with Python's email package, and prints what it holds as JSON."""

import base64
import email
import email.header
import email.policy
import email.utils
import json
import pathlib
import re
import sys


def read(raw):
    message = email.message_from_bytes(raw, policy=email.policy.default)
    old = email.message_from_bytes(raw, policy=email.policy.compat32)
    return {
        "fields": [[name, str(value)] for name, value in message.items()],
        "people": {
            name.lower(): people(value, old[name])
            for name, value in message.items()
            if hasattr(value, "addresses")
        },
        "date": message["Date"].datetime.timestamp(),
        "outline": [part.get_content_type() for part in message.walk()],
        "leaves": [leaf(part) for part in message.walk() if not part.is_multipart()],
        "defects": [repr(defect) for part in message.walk() for defect in defects(part)],
        "unclean": unclean(raw),
    }


def people(value, raw):
    """Names and addresses by the old parser, which must not differ from the new one's.

    Up to Python 3.12 the new one keeps the space between two encoded words of a name (python/cpython issue 92081), and
    it shows a quoted local part without its quotes."""
    found = []
    for name, address in email.utils.getaddresses([raw]):
        if address:
            found.append([str(email.header.make_header(email.header.decode_header(name))), address])
    plain = [["".join(name.split()), address.replace('"', "")] for name, address in found]
    if plain != [["".join(a.display_name.split()), a.addr_spec.replace('"', "")] for a in value.addresses]:
        return [["read as two", repr([found, value.addresses])]]
    return found


def leaf(part):
    return {
        "type": part.get_content_type(),
        "parameters": {k: v for k, v in part["Content-Type"].params.items() if k not in ("name", "charset")},
        "disposition": part.get_content_disposition(),
        "name": part.get_filename(),
        "id": part["Content-ID"] and str(part["Content-ID"]),
        "bytes": base64.b64encode(part.get_payload(decode=True)).decode(),
        "text": part.get_content() if part.get_content_disposition() is None else None,
    }


def defects(part):
    yield from part.defects
    for name, value in part.items():
        # The name in the type is written for readers that know no RFC 2231, as no RFC allows.
        if name.lower() != "content-type":
            yield from value.defects


def unclean(raw):
    """What must never stand in a message on its way, as (what, line)."""
    found = []
    head = raw.split(b"\r\n\r\n", 1)[0]
    if not raw.endswith(b"\r\n"):
        found.append("end")
    if re.search(rb"(?<!\r)\n|\r(?!\n)|\0", raw):
        found.append("bare")
    if not raw.isascii():
        found.append("8bit")
    for line in raw.split(b"\r\n"):
        if len(line) > 998:
            found.append("long")
        if line.startswith((b".", b"From ")):
            found.append("dot")
    for line in head.split(b"\r\n"):
        if not line.strip():
            found.append("blank")
    return found


def main():
    directory = pathlib.Path(sys.argv[1])
    result = {file.stem: read(file.read_bytes()) for file in sorted(directory.glob("*.eml"))}
    json.dump(result, sys.stdout)


main()
