"""Validates documents by a JSON Schema: python3 validate.py < INPUT

INPUT is {"schema": …, "documents": […]}. Prints a list with the mistakes of each document. Needs
python3-jsonschema.
"""

import json
import sys

from jsonschema import Draft202012Validator

given = json.load(sys.stdin)
Draft202012Validator.check_schema(given["schema"])
validator = Draft202012Validator(given["schema"])
json.dump(
    [[f"{error.json_path}: {error.message}" for error in validator.iter_errors(it)] for it in given["documents"]],
    sys.stdout,
)
