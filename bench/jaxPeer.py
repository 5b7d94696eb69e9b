"""The SimDINO training step in JAX, jitted whole with its state donated: a peer of bench/cpu.ts and bench/scaling.ts.

Reads and answers lines as bench/torchPeer.py does, and takes the same step: parameters and images come from files that the caller wrote,
the last block computes the CLS query alone. On the processor, in single precision.
"""

import json
import math
import os
import sys
import time

case = json.loads(sys.stdin.readline())
# XLA has no setting for its number of threads: it starts one for each core that it may use.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: case["threads"]]))

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

D, DEPTH, HEADS, PATCH = case["width"], case["depth"], case["heads"], case["patch"]
BATCH, GLOBALS, LOCALS = case["batch"], case["globals"], case["locals"]
OUT = case["out"]
MEAN = np.array([0.485, 0.456, 0.406], np.float32) * 255
STD = np.array([0.229, 0.224, 0.225], np.float32) * 255
PAIRS = 1 - np.eye(GLOBALS, GLOBALS + LOCALS, dtype=np.float32)


def parameters():
    """The caller's, by their names; matrices as (in, out), the patch projection's rows in the order of pixels with channels last."""
    flat = np.fromfile(case["parameters"]["file"], np.float32)
    p, at = {}, 0
    for name, shape in case["parameters"]["shapes"]:
        size = math.prod(shape)
        p[name] = flat[at : at + size].reshape(shape)
        at += size
    projection = "backbone.patch_embed.proj.weight"
    p[projection] = p[projection].transpose(0, 2, 3, 1).reshape(D, -1)
    return {name: jnp.array(value.T if value.ndim == 2 else value) for name, value in p.items()}


def crops():
    shapes = [(GLOBALS * BATCH, case["globalPx"]), (LOCALS * BATCH, case["localPx"])]
    flat, at, stacks = np.fromfile(case["crops"]["file"], np.uint8), 0, []
    for views, side in shapes:
        size = views * side * side * 3
        if size:
            stacks.append(flat[at : at + size].reshape(views, side, side, 3))
        at += size
    return stacks


def interpolation(m, side):
    """Weights (side, m) of PyTorch's bicubic interpolation (a = -0.75) by the scale (side + 0.1) / m."""
    weights = np.zeros((side, m), np.float64)
    for i in range(side):
        at = (i + 0.5) * m / (side + 0.1) - 0.5
        for tap in range(math.floor(at) - 1, math.floor(at) + 3):
            x = abs(at - tap)
            near = 1.25 * x**3 - 2.25 * x**2 + 1
            far = -0.75 * (x**3 - 5 * x**2 + 8 * x - 4)
            weights[i, min(max(tap, 0), m - 1)] += near if x <= 1 else far
    return weights.astype(np.float32)


def positions(pos, side):
    m = math.isqrt(pos.shape[1] - 1)
    if m == side:
        return pos
    weights = interpolation(m, side)
    grid = jnp.einsum("im,jn,mnd->ijd", weights, weights, pos[0, 1:].reshape(m, m, D))
    return jnp.concatenate([pos[:, :1], grid.reshape(1, -1, D)], 1)


def lin(p, name, x):
    return x @ p[name + ".weight"] + p[name + ".bias"]


def norm(p, name, x):
    centred = x - x.mean(-1, keepdims=True)
    scale = jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-6)
    return centred * scale * p[name + ".weight"] + p[name + ".bias"]


def gelu(x):
    return jax.nn.gelu(x, approximate=False)


def attend(q, k, v):
    return jax.nn.softmax((q * (1 / math.sqrt(q.shape[-1]))) @ k.swapaxes(-1, -2), -1) @ v


def heads_of(x):
    """(batch, tokens, D) as (batch, heads, tokens, D / heads)"""
    return x.reshape(*x.shape[:2], HEADS, -1).swapaxes(1, 2)


def mlp(p, block, x):
    return lin(p, f"{block}.mlp.fc2", gelu(lin(p, f"{block}.mlp.fc1", norm(p, f"{block}.norm2", x))))


def backbone(p, images):
    b, side = images.shape[0], images.shape[1] // PATCH
    x = images.reshape(b, side, PATCH, side, PATCH * 3).swapaxes(2, 3).reshape(b, side * side, -1)
    x = lin(p, "backbone.patch_embed.proj", x)
    cls = jnp.broadcast_to(p["backbone.cls_token"], (b, 1, D))
    x = jnp.concatenate([cls, x], 1) + positions(p["backbone.pos_embed"], side)
    for i in range(DEPTH - 1):
        block = f"backbone.blocks.{i}"
        q, k, v = map(heads_of, jnp.split(lin(p, f"{block}.attn.qkv", norm(p, f"{block}.norm1", x)), 3, -1))
        x = x + lin(p, f"{block}.attn.proj", attend(q, k, v).swapaxes(1, 2).reshape(x.shape))
        x = x + mlp(p, block, x)
    block = f"backbone.blocks.{DEPTH - 1}"
    y, w, bias = norm(p, f"{block}.norm1", x), p[f"{block}.attn.qkv.weight"], p[f"{block}.attn.qkv.bias"]
    q = heads_of(y[:, :1] @ w[:, :D] + bias[:D])
    k, v = map(heads_of, jnp.split(y @ w[:, D:] + bias[D:], 2, -1))
    x = x[:, 0] + lin(p, f"{block}.attn.proj", attend(q, k, v).swapaxes(1, 2).reshape(b, D))
    x = x + mlp(p, block, x)
    return norm(p, "backbone.norm", x)


def features(p, stacks):
    x = jnp.concatenate([backbone(p, images) for images in stacks])
    x = lin(p, "head.mlp.4", gelu(lin(p, "head.mlp.2", gelu(lin(p, "head.mlp.0", x)))))
    return (x / jnp.maximum(jnp.linalg.norm(x, axis=-1, keepdims=True), 1e-12)).reshape(-1, BATCH, OUT)


def loss_of(student, targets, stacks):
    found = features(student, stacks)
    cosine = jnp.einsum("vbo,gbo->gv", found, targets) / BATCH
    distance = 1 - (cosine * PAIRS).sum() / PAIRS.sum()
    z = (found[:GLOBALS] + targets) / 2
    gram = z @ z.swapaxes(1, 2) if BATCH < OUT else z.swapaxes(1, 2) @ z
    factor = jnp.linalg.cholesky(jnp.eye(gram.shape[-1]) + case["scale"] * gram)
    rate = jnp.log(jnp.diagonal(factor, axis1=-2, axis2=-1)).sum(-1).mean()
    return distance - case["gamma"] * rate


def clipped(gradient):
    return gradient * jnp.minimum(3.0 / (jnp.linalg.norm(gradient.ravel()) + 1e-6), 1.0)


def update(state, stacks):
    """One step: loss, per-tensor clipping, AdamW with two groups, moving-average teacher."""
    stacks = [(stack.astype(jnp.float32) - MEAN) / STD for stack in stacks]
    targets = features(state["teacher"], stacks[:1])
    loss, gradients = jax.value_and_grad(loss_of)(state["student"], targets, stacks)
    t = state["t"] + 1
    student, first, second, teacher = {}, {}, {}, {}
    for name, value in state["student"].items():
        g = clipped(gradients[name])
        first[name] = 0.9 * state["first"][name] + 0.1 * g
        second[name] = 0.999 * state["second"][name] + 0.001 * g * g
        decay = 0.04 if value.ndim > 1 else 0.0
        direction = first[name] / (1 - 0.9**t) / (jnp.sqrt(second[name] / (1 - 0.999**t)) + 1e-8)
        student[name] = value * (1 - 1e-4 * decay) - 1e-4 * direction
        teacher[name] = 0.996 * state["teacher"][name] + 0.004 * student[name]
    return {"student": student, "teacher": teacher, "first": first, "second": second, "t": t}, loss


def prepare():
    student = parameters()
    zeros = {name: jnp.zeros_like(value) for name, value in student.items()}
    copied = [jax.tree.map(jnp.copy, tree) for tree in (student, zeros)]
    state = {"student": student, "teacher": copied[0], "first": zeros, "second": copied[1], "t": jnp.float32(0)}
    compiled = jax.jit(update, donate_argnums=0)

    def step(stacks):
        nonlocal state
        state, loss = compiled(state, stacks)
        return float(loss)

    return step


def measured(step, inputs):
    started = time.perf_counter()
    loss = step(inputs)
    elapsed = 1000 * (time.perf_counter() - started)
    memory = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return {"ms": elapsed, "loss": loss, "peakMiB": int(memory.split()[1]) // 1024, "cpuSeconds": sum(os.times()[:2])}


inputs = crops()
step = None
for line in sys.stdin:
    try:
        if line.strip():
            step = prepare()
            answer = {"jax": jax.__version__, "device": f"{jax.devices()[0].device_kind}, {case['threads']} threads"}
        else:
            answer = measured(step, inputs)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}".split("\n")[0][:300]}
    print(json.dumps(answer), flush=True)
