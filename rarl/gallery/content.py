"""What a gallery shows, as plain values: made by `rarl.gallery.collect`, written by `page`."""

from dataclasses import dataclass

from PIL.Image import Image


@dataclass(frozen=True)
class Neighbour:
    image: Image  # of the training split
    distance: float  # of its features to the sample's


@dataclass(frozen=True)
class Sample:
    image: Image
    neighbours: tuple[Neighbour, ...]  # nearest first


@dataclass(frozen=True)
class Method:
    label: str
    iteration: str  # which iteration of how many it shows
    samples: tuple[Sample, ...]  # image 0, 1, ... of the seed


@dataclass(frozen=True)
class Experiment:
    name: str
    description: str
    seed: int  # of the samples
    methods: tuple[Method, ...]
    training_images: int  # among which the neighbours are
    training_total: int  # in the training split
    near: float  # 5% of the held-out images are nearer to a training image than this
    median: float  # half of them are
    curves: Image | None


@dataclass(frozen=True)
class MarkdownTable:
    text: str
    experiments: tuple[str, ...]  # in it


@dataclass(frozen=True)
class Gallery:
    title: str
    experiments: tuple[Experiment, ...]
    tables: tuple[MarkdownTable, ...]
