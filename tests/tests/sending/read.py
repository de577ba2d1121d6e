"""Reads a message from standard input with Python's email package, and prints what it holds as JSON."""

import base64
import email
import email.policy
import json
import sys


def leaf(part):
    disposition = part.get_content_disposition()
    return {
        "type": part.get_content_type(),
        "disposition": disposition,
        "name": part.get_filename(),
        "id": part["Content-ID"] and str(part["Content-ID"]),
        "bytes": base64.b64encode(part.get_payload(decode=True)).decode(),
        "text": part.get_content() if part.get_content_maintype() == "text" and disposition is None else None,
    }


def main():
    message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
    held = {
        "fields": [[name, str(value)] for name, value in message.items()],
        "outline": [part.get_content_type() for part in message.walk()],
        "leaves": [leaf(part) for part in message.walk() if not part.is_multipart()],
        "defects": [repr(defect) for part in message.walk() for defect in part.defects],
    }
    json.dump(held, sys.stdout)


main()
