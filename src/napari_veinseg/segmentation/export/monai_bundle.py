"""A model as a MONAI bundle: a folder that `python -m monai.bundle run` executes.

The bundle needs MONAI and not this package: the few files of ours that it computes with are copied
into its `scripts/`.
"""

import importlib
import json
import re
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch

from napari_veinseg import __version__
from napari_veinseg.data.grey import LUMINANCE, OVEREXPOSED, SPARED
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import atomic_folder, writing
from napari_veinseg.segmentation.vein_model import VeinModel

_ENTRY = "napari_veinseg.segmentation.export.standalone"
_PACKAGES = {"fire": "fire", "ignite": "pytorch-ignite", "PIL": "pillow", "scipy": "scipy"}
_OURS = re.compile(r"napari_veinseg(?:\.\w+)*\.(\w+)(?= import )")
_FOLDERS = ("configs", "models", "scripts", "docs")


def export_bundle(model: VeinModel, target: Path) -> None:
    """Write a model as a MONAI bundle.

    The bundle predicts `STEM_probability.tif` (float32) and `STEM_mask.png` (0 and 255) for the
    png, jpg and tif images of a folder; its README says how, and what must be installed.  Its
    weights are tensors alone, which torch loads with `weights_only=True`.  A folder that exists
    must be a bundle, with nothing beside, and is replaced.

    Raise VeinSegError if the target holds something else, or cannot be written.
    """
    with writing(target):
        _refuse_what_is_not_ours(target)
        with atomic_folder(target) as folder:
            for name in _FOLDERS:
                (folder / name).mkdir()
            _write_json(folder / "configs" / "metadata.json", _inert(_metadata(model)))
            _write_json(folder / "configs" / "inference.json", _inference(model))
            torch.save(model.network.core.state_dict(), folder / "models" / "model.pt")
            _copy_modules(folder / "scripts")
            template = files(__package__).joinpath("bundle_readme.md")
            readme = template.read_text(encoding="utf-8").format(**_words(model))
            (folder / "docs" / "README.md").write_text(readme, encoding="utf-8")


def _refuse_what_is_not_ours(target: Path) -> None:
    """Keep what is not an export: by its own defaults a bundle reads and writes inside itself."""
    if not target.exists():
        return
    if not (target / "configs" / "metadata.json").is_file():
        raise VeinSegError(f"{target} exists and is no MONAI bundle: choose a new folder.")
    others = sorted(path.name for path in target.iterdir() if path.name not in _FOLDERS)
    if others:
        raise VeinSegError(
            f"{target} holds {', '.join(others[:3])} beside its bundle: move that elsewhere, or "
            "choose a new folder."
        )


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _inert(value: Any) -> Any:
    """Keep MONAI from evaluating what a card says: its texts may be a stranger's."""
    if isinstance(value, dict):
        return {key: _inert(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_inert(each) for each in value]
    if isinstance(value, str) and value.startswith(("$", "@", "%")):
        return f"'{value}"
    return value


def _copy_modules(folder: Path) -> None:
    """Copy the modules that the bundle computes with, and all of ours that they import."""
    wanted, copied = [_ENTRY], {"__init__": ""}
    while wanted:
        name = wanted.pop()
        source = Path(str(importlib.import_module(name).__file__)).read_text(encoding="utf-8")
        wanted += [match.group() for match in _OURS.finditer(source)]
        copied[name.rpartition(".")[2]] = _OURS.sub(r"scripts.\1", source)
    for name, source in copied.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")


def _words(model: VeinModel) -> dict[str, str]:
    card = model.card
    return {
        "name": card.name or "vein model",
        "licence": card.licence,
        "description": card.description,
        "training": card.training_data.summary or "not told",
        "widths": card.seen_widths_text,
        "threshold": f"{card.threshold:g}",
        "packages": " ".join([f"monai=={version('monai')}", *_PACKAGES.values()]),
        "version": __version__,
    }


def _template(name: str) -> dict[str, Any]:
    return json.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _metadata(model: VeinModel) -> dict[str, Any]:
    card = model.card
    return _template("bundle_metadata.json") | {
        "changelog": {"0.1.0": f"exported by napari-veinseg {__version__}"},
        "monai_version": version("monai"),
        "pytorch_version": version("torch").partition("+")[0],
        "numpy_version": version("numpy"),
        "required_packages_version": {
            module: version(package) for module, package in _PACKAGES.items()
        },
        "name": card.name or "vein model",
        "description": card.description,
        "copyright": card.licence,
        "veinseg_card": card.model_dump(mode="json"),
    }


def _inference(model: VeinModel) -> dict[str, Any]:
    """Fill in what is the model's own.

    Images are read rows first, as NumPy has them: MONAI's usual order would turn them over.  The
    answer gets the name of its image, and is turned over since the writer will turn it back.
    """
    card, config = model.card, _template("bundle_inference.json")
    network = card.network.model_dump(mode="json", exclude={"architecture"})
    config["threshold"] = card.threshold
    config["network_def"] |= {
        "network": {"_target_": f"scripts.network.{card.network.architecture}"} | network,
        "low_percentile": card.normalisation.low_percentile,
        "high_percentile": card.normalisation.high_percentile,
        "working_vein_width": card.working_vein_width,
        "scales": list(card.scales),
    }
    config["preprocessing"]["transforms"][2]["func"] = _grey_of_colours()
    return config


def _grey_of_colours() -> str:
    """Write `data.grey.colour_shares` without this package."""
    cut_off = (
        f"(image[:3] >= image[:3].min() + {OVEREXPOSED} * (image[:3].max() - image[:3].min()))"
        ".float().mean((1, 2), keepdim=True)"
    )
    luminance = f"torch.tensor({LUMINANCE.tolist()})[:, None, None]"
    shares = f"torch.softmax({luminance}.log() - {cut_off} / {SPARED}, 0)"
    return (
        f"$lambda image: image if len(image) == 1 else ({shares} * image[:3]).sum(0, keepdim=True)"
    )
