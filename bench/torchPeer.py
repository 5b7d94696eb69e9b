"""The SimDINO training step in PyTorch, as fast as PyTorch goes: the peer of bench/cpu.ts and bench/gpu.ts.

Reads JSON lines and answers each with one. The first holds the case. `{"use": "fp32"}` starts anew from the given parameters in a
precision of `precisions` below, compiled or not, and answers with facts; an empty line takes a step and answers with its milliseconds,
its loss and its memory. An answer with `error` says why it could not be done.

The same mathematics as ours: last block on the CLS query alone, unclipped gradients measured, per-tensor clipping, AdamW with two
groups, moving-average teacher; parameters and images are read from files that the caller wrote. Fused or batched (`foreach`)
operations are used wherever PyTorch has them. With bf16, weights are kept in fp32 and products are made under autocast.
"""

import contextlib
import gc
import json
import math
import os
import sys
import time

import torch
import torch.nn.functional as F

case = json.loads(sys.stdin.readline())
device = torch.device(case["device"])
on_cuda = device.type == "cuda"
torch.manual_seed(0)
torch.set_flush_denormal(True)
if case["threads"]:
    torch.set_num_threads(case["threads"])

D, DEPTH, HEADS, PATCH = case["width"], case["depth"], case["heads"], case["patch"]
BATCH, GLOBALS, LOCALS = case["batch"], case["globals"], case["locals"]
OUT = case["out"]
HAS_SDPA = hasattr(F, "scaled_dot_product_attention")

precisions = {
    "fp32": {"products": "highest", "autocast": False, "compiled": False},
    "fp32-compiled": {"products": "highest", "autocast": False, "compiled": True},
    "tf32": {"products": "high", "autocast": False, "compiled": False},
    "bf16": {"products": "high", "autocast": True, "compiled": False},
    "bf16-compiled": {"products": "high", "autocast": True, "compiled": True},
}


def parameters():
    """The caller's, by their names; the patch projection as a matrix, its columns in the order of pixels with channels last."""
    shapes = case["parameters"]["shapes"]
    count = sum(math.prod(shape) for _, shape in shapes)
    flat = torch.from_file(case["parameters"]["file"], shared=False, size=count, dtype=torch.float32)
    p, at = {}, 0
    for name, shape in shapes:
        size = math.prod(shape)
        p[name] = flat[at : at + size].reshape(shape).clone()
        at += size
    p["backbone.patch_embed.proj.weight"] = p["backbone.patch_embed.proj.weight"].permute(0, 2, 3, 1).reshape(D, -1).contiguous()
    return {name: tensor.to(device) for name, tensor in p.items()}


def crops():
    """Bytes, global ones first; in pinned memory, from where a step takes them to the GPU as a data loader's would be."""
    shapes = [(GLOBALS * BATCH, case["globalPx"]), (LOCALS * BATCH, case["localPx"])]
    sizes = [views * side * side * 3 for views, side in shapes]
    flat = torch.from_file(case["crops"]["file"], shared=False, size=sum(sizes), dtype=torch.uint8)
    parts = [flat[: sizes[0]], flat[sizes[0] :]]
    stacks = [part.reshape(views, side, side, 3).clone() for part, (views, side) in zip(parts, shapes) if views]
    return [stack.pin_memory() for stack in stacks] if on_cuda else stacks


def attend(q, k, v):
    if HAS_SDPA:
        return F.scaled_dot_product_attention(q, k, v)
    return torch.softmax((q * (1 / math.sqrt(q.shape[-1]))) @ k.transpose(-1, -2), -1) @ v


def lin(p, name, x):
    return F.linear(x, p[name + ".weight"], p[name + ".bias"])


def norm(p, name, x):
    return F.layer_norm(x, (D,), p[name + ".weight"], p[name + ".bias"], 1e-6)


def positions(pos, side):
    if side * side + 1 == pos.shape[1]:
        return pos
    m = math.isqrt(pos.shape[1] - 1)
    grid = pos[:, 1:].reshape(1, m, m, D).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, scale_factor=(side + 0.1) / m, mode="bicubic")
    return torch.cat([pos[:, :1], grid.permute(0, 2, 3, 1).reshape(1, -1, D)], 1)


def mlp(p, name, x):
    return lin(p, f"{name}.mlp.fc2", F.gelu(lin(p, f"{name}.mlp.fc1", norm(p, f"{name}.norm2", x))))


def backbone(p, images):
    b, side = images.shape[0], images.shape[1] // PATCH
    x = images.reshape(b, side, PATCH, side, PATCH * 3).transpose(2, 3).reshape(b, side * side, -1)
    x = lin(p, "backbone.patch_embed.proj", x)
    x = torch.cat([p["backbone.cls_token"].expand(b, 1, D), x], 1) + positions(p["backbone.pos_embed"], side)
    n = x.shape[1]
    for i in range(DEPTH - 1):
        block = f"backbone.blocks.{i}"
        qkv = lin(p, f"{block}.attn.qkv", norm(p, f"{block}.norm1", x))
        q, k, v = qkv.reshape(b, n, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        x = x + lin(p, f"{block}.attn.proj", attend(q, k, v).transpose(1, 2).reshape(b, n, D))
        x = x + mlp(p, block, x)
    block = f"backbone.blocks.{DEPTH - 1}"
    y, w, bias = norm(p, f"{block}.norm1", x), p[f"{block}.attn.qkv.weight"], p[f"{block}.attn.qkv.bias"]
    q = F.linear(y[:, :1], w[:D], bias[:D]).reshape(b, 1, HEADS, -1).transpose(1, 2)
    k, v = F.linear(y, w[D:], bias[D:]).reshape(b, n, 2, HEADS, -1).permute(2, 0, 3, 1, 4)
    x = x[:, 0] + lin(p, f"{block}.attn.proj", attend(q, k, v).transpose(1, 2).reshape(b, D))
    x = x + mlp(p, block, x)
    return norm(p, "backbone.norm", x)


def features(p, stacks):
    x = torch.cat([backbone(p, images) for images in stacks])
    x = lin(p, "head.mlp.4", F.gelu(lin(p, "head.mlp.2", F.gelu(lin(p, "head.mlp.0", x)))))
    return F.normalize(x.float(), dim=-1).reshape(-1, BATCH, OUT)


def loss_of(student, teacher):
    cosine = torch.einsum("vbo,gbo->gv", student, teacher) / BATCH
    distance = 1 - (cosine * pairs).sum() / pairs.sum()
    z = (student[:GLOBALS] + teacher) / 2
    gram = z @ z.transpose(1, 2) if BATCH < OUT else z.transpose(1, 2) @ z
    factor = torch.linalg.cholesky(identity + case["scale"] * gram)
    rate = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1).mean()
    return distance - case["gamma"] * rate


pairs = 1 - torch.eye(GLOBALS, GLOBALS + LOCALS, device=device)
identity = torch.eye(min(BATCH, OUT), device=device)
mean = torch.tensor([0.485, 0.456, 0.406], device=device) * 255
std = torch.tensor([0.229, 0.224, 0.225], device=device) * 255


def autocast(enabled):
    if not enabled:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def prepare(precision):
    """A training step from the start, in one of `precisions`."""
    how = precisions[precision]
    student = {name: tensor.requires_grad_() for name, tensor in parameters().items()}
    teacher = {name: tensor.detach().clone() for name, tensor in student.items()}
    fast, slow = list(student.values()), list(teacher.values())
    groups = [
        {"params": [p for p in fast if p.ndim > 1], "weight_decay": 0.04},
        {"params": [p for p in fast if p.ndim == 1], "weight_decay": 0},
    ]
    adamw = torch.optim.AdamW(groups, lr=1e-4, **({"fused": True} if on_cuda else {"foreach": True}))

    def forward(stacks):
        stacks = [(stack.float() - mean) / std for stack in stacks]
        with autocast(how["autocast"]):
            with torch.no_grad():
                targets = features(teacher, stacks[:1])
            found = features(student, stacks)
        return loss_of(found, targets)

    if how["compiled"]:
        forward = torch.compile(forward)

    def step(stacks):
        loss = forward([stack.to(device, non_blocking=True) for stack in stacks])
        loss.backward()
        gradients = [p.grad for p in fast]
        norms = torch._foreach_norm(gradients)
        factors = (3.0 / (torch.stack(norms) + 1e-6)).clamp_(max=1.0).unbind()
        if torch.__version__ >= "2.1":
            torch._foreach_mul_(gradients, factors)
        else:
            for gradient, factor in zip(gradients, factors):
                gradient.mul_(factor)
        adamw.step()
        adamw.zero_grad(set_to_none=True)
        with torch.no_grad():
            torch._foreach_mul_(slow, 0.996)
            torch._foreach_add_(slow, fast, alpha=0.004)
        return loss.item()

    return step


def product_tflops(precision):
    """Speed at a product of large matrices, the best of a few, in 10^12 operations per second: what is called the peak."""
    size = 8192 if on_cuda else 1024
    dtype = torch.bfloat16 if precisions[precision]["autocast"] else torch.float32
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    best = math.inf
    for _ in range(6):
        synchronise()
        started = time.perf_counter()
        a @ b
        synchronise()
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best / 1e12


def synchronise():
    if on_cuda:
        torch.cuda.synchronize()


def facts(precision):
    return {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(device) if on_cuda else f"CPU, {torch.get_num_threads()} threads",
        "blas": torch.__config__.show().replace("\n", " ")[:400],
        "peakTflops": product_tflops(precision) if case.get("peak") else None,
    }


def measured(step, inputs):
    synchronise()
    started = time.perf_counter()
    loss = step(inputs)
    synchronise()
    elapsed = 1000 * (time.perf_counter() - started)
    memory = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return {
        "ms": elapsed,
        "loss": loss,
        "peakMiB": int(memory.split()[1]) // 1024,
        "cpuSeconds": sum(os.times()[:2]),
        "gpuPeakMiB": torch.cuda.max_memory_allocated() >> 20 if on_cuda else None,
    }


inputs = crops()
step = None
for line in sys.stdin:
    try:
        if line.strip():
            # What the last one held goes before the next is measured.
            step = None
            gc.collect()
            if on_cuda:
                torch.cuda.empty_cache()
            precision = json.loads(line)["use"]
            torch.set_float32_matmul_precision(precisions[precision]["products"])
            answer = facts(precision)
            if on_cuda:
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            step = prepare(precision)
        else:
            answer = measured(step, inputs)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}".split("\n")[0][:300]}
    print(json.dumps(answer), flush=True)
