"""A vision transformer in plain torch, with the tensor names of other code bases; makes and strictly loads checkpoints for the tests.

Usage: torchVit.py JOB.json. The job says what to do; the answer is written beside it.
"""
import argparse
import json
import sys

import torch
from torch import nn


class Scale(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gamma = nn.Parameter(torch.rand(width))

    def forward(self, x):
        return x * self.gamma


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        p = (q @ k.transpose(-1, -2) / (d // self.heads) ** 0.5).softmax(-1)
        return self.proj((p @ v).transpose(1, 2).reshape(b, n, d))


class Mlp(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class SwiGlu(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.w12 = nn.Linear(width, 2 * hidden)
        self.w3 = nn.Linear(hidden, width)

    def forward(self, x):
        gate, value = self.w12(x).chunk(2, -1)
        return self.w3(nn.functional.silu(gate) * value)


class Block(nn.Module):
    def __init__(self, width, heads, scales, swiglu):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads)
        self.ls1 = Scale(width) if scales else nn.Identity()
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        hidden = (int(width * 4 * 2 / 3) + 7) // 8 * 8
        self.mlp = SwiGlu(width, hidden) if swiglu else Mlp(width, 4 * width)
        self.ls2 = Scale(width) if scales else nn.Identity()

    def forward(self, x):
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class PatchEmbed(nn.Module):
    def __init__(self, width, patch):
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, patch)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class Vit(nn.Module):
    """`style` is dino, dinov2 or timm; with registers, timm's table of positions has no place for the class token."""

    def __init__(self, style, width, depth, heads, patch, size, registers=0, swiglu=False):
        super().__init__()
        self.style, self.registers = style, registers
        patches = (size // patch) ** 2
        self.bare_table = style == "timm" and registers > 0
        v2 = style == "dinov2" or self.bare_table
        self.cls_token = nn.Parameter(torch.randn(1, 1, width))
        self.pos_embed = nn.Parameter(torch.randn(1, patches + (0 if self.bare_table else 1), width))
        if registers:
            name = "reg_token" if style == "timm" else "register_tokens"
            setattr(self, name, nn.Parameter(torch.randn(1, registers, width)))
        if style == "dinov2":
            self.mask_token = nn.Parameter(torch.randn(1, width))
        self.patch_embed = PatchEmbed(width, patch)
        self.blocks = nn.ModuleList([Block(width, heads, v2, swiglu) for _ in range(depth)])
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x):
        x = self.patch_embed(x)
        cls = self.cls_token.expand(len(x), -1, -1)
        extra = [getattr(self, "reg_token" if self.style == "timm" else "register_tokens")] if self.registers else []
        extra = [token.expand(len(x), -1, -1) for token in extra]
        if self.bare_table:
            x = torch.cat([cls, *extra, x + self.pos_embed], 1)
        else:
            x = torch.cat([cls, x], 1) + self.pos_embed
            x = torch.cat([x[:, :1], *extra, x[:, 1:]], 1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def wrapped(state, how):
    """The dictionary that somebody's training script would have saved."""
    if how == "bare":
        return state
    if how == "training":  # DINO's and SimDINO v1's
        both = {f"module.backbone.{name}": value for name, value in state.items()}
        teacher = {f"backbone.{name}": value for name, value in state.items()}
        head = {"head.mlp.0.weight": torch.randn(8, 4), "head.mlp.0.bias": torch.zeros(8)}
        other = {f"module.backbone.{name}": value + 1 for name, value in state.items()}
        assert both.keys() == other.keys()
        return {
            "student": other,
            "teacher": {**teacher, **head},
            "optimizer": {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 0.1}]},
            "epoch": 7,
            "args": argparse.Namespace(arch="vit_small", lr=5e-4, path=None),
        }
    if how == "chunked":  # SimDINO v2's, blocks in two chunks
        depth = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("blocks."))

        def chunk(name):
            if not name.startswith("blocks."):
                return name
            index = int(name.split(".")[1])
            return f"blocks.{index * 2 // depth}." + name[len("blocks.") :]

        return {"teacher": {f"backbone.{chunk(name)}": value for name, value in state.items()}}
    raise ValueError(how)


def main(job):
    torch.manual_seed(0)
    if job.get("timm"):
        from timm.models.vision_transformer import VisionTransformer

        v = job["vit"]
        model = VisionTransformer(
            img_size=v["size"], patch_size=v["patch"], embed_dim=v["width"], depth=v["depth"], num_heads=v["heads"], num_classes=0,
            **({"reg_tokens": v["registers"], "no_embed_class": True, "init_values": 0.1} if v.get("registers") else {}),
        )
        for p in model.parameters():
            nn.init.normal_(p, std=0.2)
    else:
        model = Vit(job["style"], **job["vit"])
    model.eval()
    if job["do"] == "load":
        path = job["file"]
        if path.endswith(".safetensors"):
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(state, strict=True)
    image = torch.tensor(job["image"]).view(1, 3, job["vit"]["size"], job["vit"]["size"])
    with torch.no_grad():
        tokens = model.forward_features(image) if job.get("timm") else model(image)
    if job["do"] == "make":
        state = dict(model.state_dict())
        if job.get("strided"):
            # A view that is not contiguous, of a storage that is larger than it.
            weight = state["blocks.0.attn.qkv.weight"]
            roomy = torch.zeros(weight.shape[1] + 3, weight.shape[0] * 2)
            roomy[1:-2, ::2] = weight.t()
            state["blocks.0.attn.qkv.weight"] = roomy[1:-2, ::2].t()
        if job.get("dtype"):
            state = {name: value.to(getattr(torch, job["dtype"])) for name, value in state.items()}
        options = {"_use_new_zipfile_serialization": not job.get("legacy", False)}
        torch.save(wrapped(state, job.get("wrapped", "bare")), job["file"], **options)
    json.dump({"tokens": tokens.flatten().tolist()}, open(sys.argv[1] + ".out", "w"))


if __name__ == "__main__":
    main(json.load(open(sys.argv[1])))
