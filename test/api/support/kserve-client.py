"""Calls an API with the inference client of KServe, and prints as JSON what it understood.

Standard input: JSON with `url`, the bearer token `predictor`, and the models `linear`, `integers` and `strings`.
"""

import asyncio
import json
import sys

import httpx
import numpy
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

given = json.load(sys.stdin)
url = given["url"]
linear = given["linear"]


def headers():
    """Headers of their own for each call: the client adds to those that it is given."""
    return {"Authorization": f"Bearer {given['predictor']}"}


async def ask(client, model, datatype, values, binary, **options):
    tensor = InferInput(name="x", shape=list(values.shape), datatype=datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    request = InferRequest(model_name=model, infer_inputs=[tensor], **options)
    return await client.infer(url, request, model_name=model, headers=headers())


async def echo(client, model, datatype, values, binary):
    outputs = [RequestedOutput("y", parameters={"binary_data": binary})]
    answer = await ask(client, model, datatype, values, binary, request_outputs=outputs)
    return answer.outputs[0].as_numpy()


async def refusal(work):
    try:
        await work
    except httpx.HTTPStatusError as error:
        return error.response.status_code
    return None


async def main():
    features = numpy.array([[1.5, 2.0, 3.0, 4.0]], dtype=numpy.float32)
    wide = numpy.array([[-(2**63), 2**63 - 1]], dtype=numpy.int64)
    async with InferenceRESTClient(RESTConfig(protocol="v2", retries=0)) as client:
        named = await ask(client, linear, "FP32", features, False, request_id="mine")
        return {
            "server": [await client.is_server_live(url), await client.is_server_ready(url)],
            "ready": await client.is_model_ready(url, linear, headers=headers()),
            "json": {"id": named.id, "model": named.model_name},
            "score": {one.name: one.as_numpy().tolist() for one in named.outputs},
            "binary": (await ask(client, linear, "FP32", features, True)).outputs[0].as_numpy().tolist(),
            "exact": [
                bool(numpy.array_equal(await echo(client, given["integers"], "INT64", wide, binary), wide))
                for binary in (False, True)
            ],
            "refused": await refusal(ask(client, linear, "FP32", features[:, :3], False)),
            "unknown": await refusal(ask(client, "no-such-model", "FP32", features, False)),
        }


print(json.dumps(asyncio.run(main())))
