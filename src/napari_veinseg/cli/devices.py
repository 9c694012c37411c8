"""`veinseg devices`."""

from napari_veinseg.cli.app import app


@app.command()
def devices() -> None:
    """Show the devices of this machine; the first is used unless another is asked for."""
    from napari_veinseg.cli.console import print_table
    from napari_veinseg.segmentation.runtimes.devices import available_devices

    found = available_devices()
    print_table(
        ("Device", "Used", "What", "Why"),
        [
            (choice.name, "" if number else "yes", choice.label, choice.reason)
            for number, choice in enumerate(found)
        ],
    )
