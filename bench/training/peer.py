"""PyTorch's side of the training benchmark: one JSON argument in, one JSON line out."""

import json
import resource
import sys
import time

import torch
from torch import nn

job = json.loads(sys.argv[1])
torch.set_num_threads(job["threads"])
torch.manual_seed(0)
layout = torch.channels_last if job["channelsLast"] else torch.contiguous_format

if job["network"] == "cnn":
    shape = (1, 28, 28)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(512, 10),
    ).to(memory_format=layout)
else:
    shape = (784,)
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))

with open(job["samples"], "rb") as file:
    pixels = torch.frombuffer(bytearray(file.read()), dtype=torch.uint8)
with open(job["labels"], "rb") as file:
    labels = torch.frombuffer(bytearray(file.read()), dtype=torch.int32).long()
count, size = job["count"], job["batchSize"]
# Standardised once, ahead of the measurement: what a PyTorch user would do with data that fits in memory.
samples = pixels.float().div_(255).sub_(0.1307).div_(0.3081).view(count, *shape)
if job["network"] == "cnn":
    samples = samples.contiguous(memory_format=layout)
optimizer = torch.optim.Adam(model.parameters(), job["learningRate"], fused=True)
loss_of = nn.CrossEntropyLoss()


def train(steps):
    order, begin = torch.randperm(count), 0
    for _ in range(steps):
        if begin >= count:
            order, begin = torch.randperm(count), 0
        chosen = order[begin : begin + size]
        begin += size
        optimizer.zero_grad()
        loss_of(model(samples[chosen]), labels[chosen]).backward()
        optimizer.step()


train(20)
started = time.perf_counter()
train(int(job["steps"]))
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": seconds, "peakRssBytes": peak}))
