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

    Raises
    ------
    VeinSegError
        If the target holds something else, or cannot be written.
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


def _metadata(model: VeinModel) -> dict[str, Any]:
    card = model.card
    image = {"type": "image", "num_channels": 1, "spatial_shape": ["*", "*"], "dtype": "float32"}
    return {
        "schema": "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/"
        "0.8.1/meta_schema_20240725.json",
        "version": "0.1.0",
        "changelog": {"0.1.0": f"exported by napari-veinseg {__version__}"},
        "monai_version": version("monai"),
        "pytorch_version": version("torch").partition("+")[0],
        "numpy_version": version("numpy"),
        "required_packages_version": {
            module: version(package) for module, package in _PACKAGES.items()
        },
        "name": card.name or "vein model",
        "task": "Segmentation of veins in near-infrared images",
        "description": card.description,
        "authors": "The napari-veinseg developers",
        "copyright": card.licence,
        "intended_use": "Research. Not a medical device.",
        "veinseg_card": card.model_dump(mode="json"),
        "network_data_format": {
            "inputs": {
                "image": image
                | {
                    "format": "magnitude",
                    "modality": "near-infrared",
                    "value_range": [],
                    "is_patch_data": False,
                    "channel_def": {"0": "grey values"},
                }
            },
            "outputs": {
                "pred": image
                | {
                    "format": "segmentation",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": {"0": "probability of vein"},
                }
            },
        },
    }


def _inference(model: VeinModel) -> dict[str, Any]:
    card = model.card
    network = card.network.model_dump(mode="json", exclude={"architecture"})
    return {
        "imports": ["$import monai", "$import torch", "$from pathlib import Path"],
        "bundle_root": ".",
        "dataset_dir": "$@bundle_root + '/images'",
        "output_dir": "$@bundle_root + '/eval'",
        "vein_width": None,
        "invert": False,
        "threshold": card.threshold,
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "files": "$sorted(p for p in Path(@dataset_dir).iterdir() if p.suffix.lower() in "
        "('.png', '.jpg', '.jpeg', '.tif', '.tiff'))",
        "network_def": {
            "_target_": "scripts.standalone.AnyVeinWidth",
            "network": {"_target_": f"scripts.network.{card.network.architecture}"} | network,
            "low_percentile": card.normalisation.low_percentile,
            "high_percentile": card.normalisation.high_percentile,
            "working_vein_width": card.working_vein_width,
            "vein_width": "@vein_width",
            "scales": list(card.scales),
        },
        "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": _reading()},
        "dataset": {
            "_target_": "Dataset",
            "data": "$[{'image': str(p)} for p in @files]",
            "transform": "@preprocessing",
        },
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 1},
        "inferer": {"_target_": "SimpleInferer"},
        "postprocessing": {"_target_": "Compose", "transforms": _writing()},
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@dataloader",
            "network": "@network",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
        },
        "initialize": [
            "$@network_def.core.load_state_dict("
            "torch.load(@bundle_root + '/models/model.pt', map_location='cpu', weights_only=True))"
        ],
        "run": ["$@evaluator.run()"],
    }


def _reading() -> list[dict[str, Any]]:
    # `data.grey.colour_shares`, without this package.
    cut_off = (
        f"(image[:3] >= image[:3].min() + {OVEREXPOSED} * (image[:3].max() - image[:3].min()))"
        ".float().mean((1, 2), keepdim=True)"
    )
    luminance = f"torch.tensor({LUMINANCE.tolist()})[:, None, None]"
    shares = f"torch.softmax({luminance}.log() - {cut_off} / {SPARED}, 0)"
    grey = (
        f"$lambda image: image if len(image) == 1 else ({shares} * image[:3]).sum(0, keepdim=True)"
    )
    return [
        # Rows first, as NumPy has them; MONAI's usual order would turn the image over.
        {
            "_target_": "LoadImaged",
            "keys": "image",
            "reader": "PILReader",
            "reverse_indexing": False,
            "ensure_channel_first": True,
        },
        {"_target_": "EnsureTyped", "keys": "image", "dtype": "$torch.float32"},
        {"_target_": "Lambdad", "keys": "image", "func": grey},
        {
            "_target_": "Lambdad",
            "keys": "image",
            "func": "$lambda image: -image if @invert else image",
        },
    ]


def _writing() -> list[str | dict[str, Any]]:
    save = {
        "_target_": "SaveImaged",
        "output_dir": "@output_dir",
        "writer": "PILWriter",
        "resample": False,
        "separate_folder": False,
    }
    # The answer gets the name of its image, and is turned over since the writer will turn it back.
    named = (
        "$lambda item: item | {'pred': monai.data.MetaTensor("
        "item['pred'].swapaxes(1, 2), meta=item['image'].meta)}"
    )
    return [
        named,
        {"_target_": "CopyItemsd", "keys": "pred", "names": "mask"},
        {"_target_": "AsDiscreted", "keys": "mask", "threshold": "@threshold"},
        save
        | {
            "keys": "pred",
            "output_ext": ".tif",
            "output_postfix": "probability",
            "output_dtype": "$torch.float32",
        },
        save
        | {
            "keys": "mask",
            "output_ext": ".png",
            "output_postfix": "mask",
            "output_dtype": "$torch.uint8",
            "scale": 255,
        },
    ]
