"""The picture of a report, taken by a Chromium that has no network."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from staging import make_dataset

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
WINDOW = (1300, 2540)
WIDTH = 960


def browser() -> str | None:
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def take_report(path: Path) -> None:
    """Evaluate on twelve synthetic images and photograph the page."""
    from napari_veinseg.data.dataset import Dataset
    from napari_veinseg.evaluation.contenders import gather_contenders
    from napari_veinseg.evaluation.report.write_report import evaluate

    program = browser()
    if program is None:
        raise FileNotFoundError("there is no Chromium on the PATH")
    with TemporaryDirectory() as folder:
        place = Path(folder)
        make_dataset(place / "synthetic fingers")
        dataset = Dataset.open(place / "synthetic fingers", r"^(.+)_\d+$")
        evaluate(dataset, gather_contenders(["starter"], baselines=True), place / "report")
        subprocess.run(
            [
                program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={place / 'profile'}",
                "--window-size={},{}".format(*WINDOW), f"--screenshot={path.resolve()}",
                (place / "report" / "report.html").as_uri(),
            ],
            check=True, capture_output=True, timeout=300,
        )  # fmt: skip
    with Image.open(path) as picture:
        picture.resize((WIDTH, WIDTH * picture.height // picture.width)).save(path)
