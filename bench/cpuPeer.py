"""The training step of bench/cpu.ts in PyTorch, as fast as PyTorch goes on a CPU: the peer.

Reads one JSON line with the case, answers with a line of facts about itself, then takes one step per line of input and
answers each with the milliseconds it took. The same mathematics as ours: last block on the CLS query alone, unclipped
gradients measured, per-tensor clipping, AdamW with two groups, moving-average teacher. Fused or batched (`foreach`)
operations are used wherever PyTorch has them.
"""

import json
import math
import os
import sys
import time

import torch
import torch.nn.functional as F

case = json.loads(sys.stdin.readline())
torch.set_num_threads(case["threads"])
torch.manual_seed(0)
torch.set_flush_denormal(True)

D, DEPTH, HEADS, PATCH = case["width"], case["depth"], case["heads"], case["patch"]
BATCH, GLOBALS, LOCALS = case["batch"], case["globals"], case["locals"]
HIDDEN, OUT = case["hidden"], case["out"]
HAS_SDPA = hasattr(F, "scaled_dot_product_attention")


def parameters():
    p = {}

    def linear(name, inputs, outputs):
        p[name + ".weight"] = torch.randn(outputs, inputs) * 0.02
        p[name + ".bias"] = torch.zeros(outputs)

    def norm(name):
        p[name + ".weight"] = torch.ones(D)
        p[name + ".bias"] = torch.zeros(D)

    p["cls"] = torch.randn(1, 1, D) * 0.02
    p["pos"] = torch.randn(1, 1 + (case["globalPx"] // PATCH) ** 2, D) * 0.02
    linear("patch", 3 * PATCH * PATCH, D)
    for i in range(DEPTH):
        norm(f"{i}.n1")
        linear(f"{i}.qkv", D, 3 * D)
        linear(f"{i}.proj", D, D)
        norm(f"{i}.n2")
        linear(f"{i}.fc1", D, 4 * D)
        linear(f"{i}.fc2", 4 * D, D)
    norm("norm")
    linear("h0", D, HIDDEN)
    linear("h1", HIDDEN, HIDDEN)
    linear("h2", HIDDEN, OUT)
    return p


def attend(q, k, v):
    if HAS_SDPA:
        return F.scaled_dot_product_attention(q, k, v)
    return torch.softmax((q * (1 / math.sqrt(q.shape[-1]))) @ k.transpose(-1, -2), -1) @ v


def lin(p, name, x):
    return F.linear(x, p[name + ".weight"], p[name + ".bias"])


def norm(p, name, x):
    return F.layer_norm(x, (D,), p[name + ".weight"], p[name + ".bias"], 1e-6)


def backbone(p, images):
    b, side = images.shape[0], images.shape[1] // PATCH
    x = images.reshape(b, side, PATCH, side, PATCH * 3).transpose(2, 3).reshape(b, side * side, -1)
    pos = p["pos"]
    if side * side + 1 != pos.shape[1]:
        m = math.isqrt(pos.shape[1] - 1)
        grid = pos[:, 1:].reshape(1, m, m, D).permute(0, 3, 1, 2)
        grid = F.interpolate(grid, scale_factor=(side + 0.1) / m, mode="bicubic")
        pos = torch.cat([pos[:, :1], grid.permute(0, 2, 3, 1).reshape(1, -1, D)], 1)
    x = torch.cat([p["cls"].expand(b, 1, D), lin(p, "patch", x)], 1) + pos
    n = x.shape[1]
    for i in range(DEPTH - 1):
        q, k, v = lin(p, f"{i}.qkv", norm(p, f"{i}.n1", x)).reshape(b, n, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        x = x + lin(p, f"{i}.proj", attend(q, k, v).transpose(1, 2).reshape(b, n, D))
        x = x + lin(p, f"{i}.fc2", F.gelu(lin(p, f"{i}.fc1", norm(p, f"{i}.n2", x))))
    i = DEPTH - 1
    y, w, bias = norm(p, f"{i}.n1", x), p[f"{i}.qkv.weight"], p[f"{i}.qkv.bias"]
    q = F.linear(y[:, :1], w[:D], bias[:D]).reshape(b, 1, HEADS, -1).transpose(1, 2)
    k, v = F.linear(y, w[D:], bias[D:]).reshape(b, n, 2, HEADS, -1).permute(2, 0, 3, 1, 4)
    x = x[:, 0] + lin(p, f"{i}.proj", attend(q, k, v).transpose(1, 2).reshape(b, D))
    x = x + lin(p, f"{i}.fc2", F.gelu(lin(p, f"{i}.fc1", norm(p, f"{i}.n2", x))))
    return norm(p, "norm", x)


def features(p, stacks):
    x = torch.cat([backbone(p, images) for images in stacks])
    x = lin(p, "h2", F.gelu(lin(p, "h1", F.gelu(lin(p, "h0", x)))))
    return F.normalize(x, dim=-1).reshape(-1, BATCH, OUT)


def loss_of(student, teacher):
    cosine = torch.einsum("vbo,gbo->gv", student, teacher) / BATCH
    mask = 1 - torch.eye(GLOBALS, student.shape[0])
    distance = (cosine * mask).sum() / mask.sum()
    z = (student[:GLOBALS] + teacher) / 2
    scale = OUT / (BATCH * 0.05)
    gram = z @ z.transpose(1, 2) if BATCH < OUT else z.transpose(1, 2) @ z
    factor = torch.linalg.cholesky(torch.eye(gram.shape[-1]) + scale * gram)
    rate = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1).mean()
    return -distance - (1 / OUT + 1 / BATCH) * rate


student = {name: tensor.requires_grad_() for name, tensor in parameters().items()}
teacher = {name: tensor.detach().clone() for name, tensor in student.items()}
names = list(student)
decayed = [student[n] for n in names if student[n].ndim > 1]
others = [student[n] for n in names if student[n].ndim == 1]
adamw = torch.optim.AdamW(
    [{"params": decayed, "weight_decay": 0.04}, {"params": others, "weight_decay": 0}], lr=1e-4, foreach=True
)
mean, std = torch.tensor([0.485, 0.456, 0.406]) * 255, torch.tensor([0.229, 0.224, 0.225]) * 255


def forward(global_images, local_images):
    with torch.no_grad():
        targets = features(teacher, [global_images])
    return loss_of(features(student, [global_images, local_images] if LOCALS else [global_images]), targets)


if case.get("compile"):
    forward = torch.compile(forward)


def step(global_crops, local_crops):
    loss = forward((global_crops.float() - mean) / std, (local_crops.float() - mean) / std)
    loss.backward()
    gradients = [student[n].grad for n in names]
    norms = torch._foreach_norm(gradients)
    torch._foreach_mul_(gradients, [torch.clamp(3.0 / (norm + 1e-6), max=1.0) for norm in norms]) if hasattr(
        torch, "_foreach_mul_"
    ) and torch.__version__ >= "2.1" else [g.mul_(torch.clamp(3.0 / (m + 1e-6), max=1.0)) for g, m in zip(gradients, norms)]
    adamw.step()
    adamw.zero_grad(set_to_none=True)
    with torch.no_grad():
        slow, fast = [teacher[n] for n in names], [student[n] for n in names]
        torch._foreach_mul_(slow, 0.996)
        torch._foreach_add_(slow, fast, alpha=0.004)
    return loss.item()


def crops(views, side):
    return torch.randint(0, 256, (views * BATCH, side, side, 3), dtype=torch.uint8)


inputs = crops(GLOBALS, case["globalPx"]), crops(max(LOCALS, 1), case["localPx"])
print(json.dumps({"torch": torch.__version__, "blas": torch.__config__.show().replace("\n", " ")[:400]}), flush=True)
for line in sys.stdin:
    started = time.perf_counter()
    value = step(*inputs)
    elapsed = 1000 * (time.perf_counter() - started)
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    cpu = sum(os.times()[:2])
    print(json.dumps({"ms": elapsed, "loss": value, "peakMiB": int(peak.split()[1]) // 1024, "cpuSeconds": cpu}), flush=True)
