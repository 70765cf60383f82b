"""Validates documents by a JSON Schema: python3 validate.py < INPUT

INPUT is {"schema": …, "documents": [[definition, document], …]}; an empty definition stands for the
whole schema. Prints a list with the mistakes of each document. Needs python3-jsonschema.
"""

import json
import sys

from jsonschema import Draft7Validator

given = json.load(sys.stdin)
schema = given["schema"]
Draft7Validator.check_schema(schema)


def mistakes(definition, document):
    part = {"$ref": f"#/definitions/{definition}", "definitions": schema["definitions"]}
    validator = Draft7Validator(part if definition else schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


json.dump([mistakes(*document) for document in given["documents"]], sys.stdout)
