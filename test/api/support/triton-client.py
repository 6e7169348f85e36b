"""Calls an API with the public client of Triton Inference Server, and prints as JSON what it understood.

Standard input: JSON with `url` (host and port), the bearer tokens `predictor` and `admin`, and the models `linear`,
`integers`, `strings` and `truths`.
"""

import json
import sys

import numpy
from tritonclient import http
from tritonclient.utils import InferenceServerException

given = json.load(sys.stdin)
client = http.InferenceServerClient(url=given["url"])


def by(role):
    """Headers of their own for each call: the client adds to those that it is given."""
    return {"Authorization": f"Bearer {given[role]}"}


def ask(model, datatype, values, binary, outputs=None, **options):
    tensor = http.InferInput("x", list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    return client.infer(model, [tensor], outputs=outputs, headers=by("predictor"), **options)


def echo(model, datatype, values, binary):
    output = http.InferRequestedOutput("y", binary_data=binary)
    result = ask(model, datatype, values, binary, [output]).as_numpy("y")
    # Strings of JSON stay text, raw ones stay bytes.
    if datatype == "BYTES" and not binary:
        result = numpy.array([[text.encode() for text in row] for row in result], dtype=numpy.object_)
    return bool(result.dtype == values.dtype and numpy.array_equal(result, values))


def refusal(work):
    try:
        work()
    except InferenceServerException as error:
        return {"status": error.status(), "message": error.message()}
    return None


linear = given["linear"]
features = numpy.array([[1.5, 2.0, 3.0, 4.0]], dtype=numpy.float32)
wide = numpy.array([[-(2**63), 2**63 - 1]], dtype=numpy.int64)
texts = numpy.array([["größe".encode(), b""]], dtype=numpy.object_)
truths = numpy.array([[True, False]])
chosen = [http.InferRequestedOutput("score", binary_data=False), http.InferRequestedOutput("label", binary_data=True)]
mixed = ask(linear, "FP32", features, True, chosen, request_id="mine", parameters={"trace": "abc"})
classes = [http.InferRequestedOutput("score", class_count=1)]

report = {
    "server": [client.is_server_live(), client.is_server_ready()],
    "extensions": client.get_server_metadata()["extensions"],
    "ready": client.is_model_ready(linear, headers=by("predictor")),
    "inputs": client.get_model_metadata(linear, headers=by("predictor"))["inputs"],
    "json": ask(linear, "FP32", features, False, [chosen[0]]).as_numpy("score").tolist(),
    "binary": ask(linear, "FP32", features, True).as_numpy("score").tolist(),
    "compressed": ask(linear, "FP32", features, True, request_compression_algorithm="gzip").as_numpy("label").tolist(),
    "mixed": {
        "id": mixed.get_response()["id"],
        "parameters": mixed.get_response()["parameters"],
        "score": mixed.as_numpy("score").tolist(),
        "label": mixed.as_numpy("label").tolist(),
    },
    "classes": [text.decode() for text in ask(linear, "FP32", features, True, classes).as_numpy("score").flatten()],
    "echoes": {
        f"{datatype} {'binary' if binary else 'JSON'}": echo(given[name], datatype, values, binary)
        for name, datatype, values in (
            ("integers", "INT64", wide),
            ("strings", "BYTES", texts),
            ("truths", "BOOL", truths),
        )
        for binary in (False, True)
    },
    "refused": refusal(lambda: ask(linear, "FP32", features[:, :3], True)),
    "index": [one for one in client.get_model_repository_index(headers=by("predictor")) if one["name"] == linear],
    "forbidden": refusal(lambda: client.unload_model(linear, headers=by("predictor"))),
}
client.unload_model(linear, headers=by("admin"))
report["unloaded"] = {
    "ready": client.is_model_ready(linear, headers=by("predictor")),
    "infer": refusal(lambda: ask(linear, "FP32", features, True)),
    "index": [one["state"] for one in client.get_model_repository_index(headers=by("predictor")) if one["name"] == linear],
}
client.load_model(linear, headers=by("admin"))
report["loaded"] = client.is_model_ready(linear, headers=by("predictor"))
report["statistics"] = client.get_inference_statistics(linear, headers=by("predictor"))["model_stats"][0]
print(json.dumps(report))
