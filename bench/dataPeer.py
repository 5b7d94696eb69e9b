"""The multi-crop of the v1 recipe with torchvision and PIL, on one core: the peer of bench/data.ts.

Reads one JSON line with the folder and the crops, answers with a line of versions; then makes the crops of as many
images as each further line says and answers with {"cpuMs", "wallMs"} per image. Ends with 8-bit crops, as ours does: the
conversion to normalised floats is left out of the comparison.
"""

import json
import os
import random
import sys
import time

import PIL
import torch
import torchvision
from PIL import Image, ImageFilter, ImageOps
from torchvision import transforms as T

torch.set_num_threads(1)
setup = json.loads(sys.stdin.readline())
files = [os.path.join(setup["folder"], name) for name in sorted(os.listdir(setup["folder"]))]


def blur(probability):
    def apply(image):
        if random.random() > probability:
            return image
        return image.filter(ImageFilter.GaussianBlur(radius=random.uniform(0.1, 2.0)))

    return T.Lambda(apply)


def solarize(probability):
    return T.Lambda(lambda image: ImageOps.solarize(image) if random.random() < probability else image)


def view(size, scale, blur_probability, solarize_probability):
    crop = T.RandomResizedCrop(size, scale=tuple(scale), interpolation=T.InterpolationMode.BICUBIC)
    jitter = T.RandomApply([T.ColorJitter(brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1)], p=0.8)
    steps = [crop, T.RandomHorizontalFlip(0.5), jitter, T.RandomGrayscale(0.2), blur(blur_probability)]
    return T.Compose(steps + ([solarize(solarize_probability)] if solarize_probability else []))


g, l = setup["global"], setup["local"]
views = [view(g["sizePx"], g["scale"], p, s) for p, s in zip(g["blur"], g["solarize"])]
views += [view(l["sizePx"], l["scale"], l["blur"], 0)] * l["count"]

versions = {"torchvision": torchvision.__version__, "pillow": PIL.__version__, "python": sys.version.split()[0]}
print(json.dumps(versions), flush=True)

at = 0
for line in sys.stdin:
    images = int(line)
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(images):
        with open(files[at % len(files)], "rb") as file:
            image = Image.open(file).convert("RGB")
        crops = [make(image) for make in views]
        assert len(crops) == len(views)
        at += 1
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps({"cpuMs": 1000 * cpu / images, "wallMs": 1000 * wall / images}), flush=True)
