"""FastAPI's side of the inference benchmark, as a team that knows it would tune it.

One JSON argument (`ServerOrder` in orders.ts); prints one line with its port once it listens. Pydantic checks the
envelope, NumPy turns the numbers into a tensor in one pass, verified tokens are remembered until they expire, and the
answer is written by orjson.
"""

import hashlib
import json
import os
import socket
import sys
import time
import uuid
from datetime import datetime, timezone
from typing import Any, Literal

import jwt
import numpy as np
import onnxruntime
import orjson
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, Field

order = json.loads(sys.argv[1])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(order["model"], options, providers=["CPUExecutionProvider"])
known = session.get_inputs()[0]
names = [output.name for output in session.get_outputs()]
with open(order["model"], "rb") as file:
    digest = hashlib.sha256(file.read()).hexdigest()
key = jwt.PyJWK({**order["key"], "alg": "ES256"}).key
log = os.open(os.path.join(order["audit"], "peer.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND) if order.get("audit") else None
tokens: dict[str, dict[str, Any]] = {}
DATATYPES = {"float32": "FP32", "int64": "INT64"}


class Tensor(BaseModel):
    name: str = Field(min_length=1, max_length=256)
    shape: list[int] = Field(min_length=1, max_length=8)
    datatype: Literal["FP32"]
    data: Any


class InferRequest(BaseModel):
    id: str | None = Field(default=None, max_length=256)
    inputs: list[Tensor] = Field(min_length=1, max_length=2048)


def authenticate(header: str | None) -> dict[str, Any]:
    if header is None or not header.startswith("Bearer "):
        raise HTTPException(401)
    token = header[7:]
    claims = tokens.get(token)
    if claims is not None and claims["exp"] > time.time():
        return claims
    try:
        claims = jwt.decode(
            token, key, algorithms=["ES256"], audience=order["audience"], issuer=order["issuer"],
            options={"require": ["exp", "iat", "sub", "jti"]},
        )
    except jwt.PyJWTError as error:
        raise HTTPException(401) from error
    if len(tokens) >= 10_000:
        tokens.clear()
    tokens[token] = claims
    return claims


def answer(body: bytes, authorization: str | None) -> Response:
    claims = authenticate(authorization)
    if "predictor" not in claims["roles"]:
        raise HTTPException(403)
    started = time.perf_counter()
    request = InferRequest.model_validate(orjson.loads(body))
    given = request.inputs[0]
    try:
        tensor = np.array(given.data, dtype=np.float32).reshape(given.shape)
    except (TypeError, ValueError) as error:
        raise HTTPException(400) from error
    if not np.isfinite(tensor).all():
        raise HTTPException(400)
    results = session.run(names, {known.name: tensor})
    outputs = [
        {"name": name, "shape": result.shape, "datatype": DATATYPES[str(result.dtype)], "data": result.ravel()}
        for name, result in zip(names, results)
    ]
    if log is not None:
        record(claims, tensor, results, started)
    reply = {"model_name": order["name"], "model_version": "1", "id": request.id or str(uuid.uuid4()), "outputs": outputs}
    return Response(orjson.dumps(reply, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


def record(claims: dict[str, Any], tensor: np.ndarray, results: list[np.ndarray], started: float) -> None:
    """One line with what the platform records, in the hands of the system before the answer."""
    line = orjson.dumps({
        "id": str(uuid.uuid4()),
        "at": datetime.now(timezone.utc).isoformat(),
        "actor": claims["sub"],
        "action": "model:infer",
        "subject": f"model:{order['name']}/1",
        "decision": "allow",
        "traceId": uuid.uuid4().hex,
        "detail": {
            "digest": digest,
            "inputDigest": hashlib.sha256(tensor.tobytes()).hexdigest(),
            "latencyMs": f"{(time.perf_counter() - started) * 1000:.3f}",
            "output": f"{names[0]} {results[0].argmax()}",
        },
    })
    os.write(log, line + b"\n")


app = FastAPI(openapi_url=None)
PATH = "/v2/models/{model}/infer"

if order.get("asynchronous", True):

    @app.post(PATH)
    async def infer(model: str, request: Request) -> Response:
        return answer(await request.body(), request.headers.get("authorization"))

else:

    async def body_of(request: Request) -> bytes:
        return await request.body()

    from fastapi import Depends

    @app.post(PATH)
    def infer(model: str, request: Request, body: bytes = Depends(body_of)) -> Response:
        return answer(body, request.headers.get("authorization"))


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="error", lifespan="off")
uvicorn.Server(config).run(sockets=[listener])
